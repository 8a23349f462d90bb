"""Raw files, wherever they lie: in a folder, or in the zip they came in, from which a recipe takes what it needs.

A recipe names raw files by their paths below `raw`. What reads them, here and in `files`, `tables` and `archives`, finds
them in that folder or, where the folder leads to a zip, in that zip: then nothing is unpacked but what becomes part of
the prepared data, and that goes straight to its place.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import shutil
import tempfile
import zipfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO

from mlebench.data.archive_rules import check_filled, check_members, damage_told, safe_names
from mlebench.data.nested import Content, member_content, open_content
from mlebench.data.walking import open_regular, walk
from mlebench.data.zip_directory import ListedZip
from mlebench.data.zip_members import extract, read_at
from mlebench.errors import DataError

_LARGE = 4 << 20
_AFTER_SLASH = chr(ord("/") + 1)
ARCHIVE = ".archive.zip"
"""Within a raw folder that `lead_to` made: a link to the zip that the raw files lie in."""
_leading: set[str] = set()
"""Folders that `lead_to` made in this process. A file of ARCHIVE's name in any other folder, as in one above the user's
raw files that others may write to, means nothing. None is ever taken out, as threads may be at different competitions."""
ONE_TIME = 946684800
"""The first second of the year 2000, the time of every public file, and of what was unpacked and left as it was."""
unpacked: dict[int, str] = {}
"""Inode of a file that was unpacked -> sha256 of its content, so that it need not be read again."""


def lead_to(archive: Path, folder: Path) -> None:
    """Make an empty raw folder that stands for the content of a zip; DataError unless all of it may be unpacked."""
    folder.mkdir()
    (folder / ARCHIVE).symlink_to(archive.absolute())
    _leading.add(str(folder))
    _opened_zip(folder / ARCHIVE)


def forget() -> None:
    """Close the zips that were read from, and forget the sums of what was unpacked."""
    _open.cache_clear()
    unpacked.clear()


def open_raw(path: Path) -> IO[bytes]:
    """Open a raw file for reading, at any place; FileNotFoundError names one that is missing.

    Going back in a deflated member takes time, so such a file is best read from its start to its end.
    """
    try:
        return open_regular(path)
    except FileNotFoundError:
        member = _member(path)
        if member is None:
            raise
    packed, name = member
    return packed.open(name)


def read_raw(path: Path) -> bytes:
    """The content of a raw file."""
    with open_raw(path) as file:
        return file.read()


def list_raw(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The raw files below `folder` whose relative path matches the pattern of `Path.glob`, sorted."""
    found = _find(f"{folder}/")
    if found is None:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    packed, name = found
    return sorted(folder / below for below in packed.below(name.rstrip("/"), pattern))


def raw_names(folder: Path) -> Iterator[str]:
    """The relative path of every raw file below `folder`, in the order of `list_raw`, a fraction of its time."""
    found = _find(f"{folder}/")
    if found is None:
        return (name for name, _ in walk(folder, lambda *_: None, follow=True))
    packed, name = found
    return iter(sorted(packed.below(name.rstrip("/"), "**/*")))


def is_raw_file(path: Path) -> bool:
    """Whether there is such a raw file."""
    return path.is_file() or _member(path) is not None


@contextmanager
def local_file(path: Path) -> Iterator[Path]:
    """A raw file as a file of the disk, for readers that take nothing else; unpacked for as long as it is needed."""
    if path.is_file():
        yield path
        return
    member = _member(path)
    if member is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    packed, name = member
    with tempfile.TemporaryDirectory(dir=packed.folder, prefix=".unpacked-") as scratch:
        target = f"{scratch}/{path.name}"
        packed.place([(name, target)])
        unpacked.pop(Path(target).stat().st_ino, None)  # its number will soon be another file's
        yield Path(target)


def place(pairs: Iterable[tuple[str, str]]) -> None:
    """Unpack raw files, named by their paths, to their places, which must be free and whose folders are there.

    DataError for one that is neither in the folder nor in the folder's zip. A file with two places is linked to the
    second one.
    """
    roots: dict[str, Packed | None] = {}
    wanted: dict[Packed, list[tuple[str, str]]] = {}
    for source, target in pairs:
        parent = source.rpartition("/")[0]
        if parent not in roots:
            found = _find(f"{parent}/")
            roots[parent] = found[0] if found else None
        packed = roots[parent]
        name = packed.find(source[len(packed.folder) + 1 :]) if packed else None
        if packed is None or name is None:
            raise DataError(f"The raw file {source} is missing; fetch the raw data again.")
        wanted.setdefault(packed, []).append((name, target))
    for packed, own in wanted.items():
        packed.place(own)


class Packed:
    """The zip that a raw folder leads to. Opening it checks every member, so that what may be unpacked is known."""

    def __init__(self, archive: Path) -> None:
        self.folder = str(archive.parent)
        self._archive = archive.resolve()
        with damage_told(self._archive, "zip"):
            self._file = self._archive.open("rb")
            self._zip = ListedZip(self._archive.name, self._file)
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        check_filled(self._archive.name, infos)
        check_members(self._archive.name, infos)
        self.members: dict[str, zipfile.ZipInfo] = dict(zip(safe_names(infos), infos, strict=True))
        if len(self.members) < len(infos):
            raise DataError(f"{self._archive.name} holds a file more than once; do not use it.")
        self._contents: dict[str, Content] = {}

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.members)

    def find(self, name: str) -> str | None:
        """The member of this name, also where it is written with needless dots; none if there is no such file."""
        if name not in self.members:
            name = posixpath.normpath(name)
        return name if name in self.members else None

    def open(self, name: str) -> IO[bytes]:
        """Open a member. How to find one's way in a large one is remembered for the next time."""
        content = self._contents.get(name)
        if content is None:
            info = self.members[name]
            end = self._zip.ends[info.header_offset]
            content = member_content(read_at(self._file), info, end, Path(self.folder))
            if content.size >= _LARGE:
                self._contents[name] = content
        return open_content(content)

    def below(self, folder: str, pattern: str) -> list[str]:
        """Paths below a folder of the zip, relative to it, that match a pattern."""
        matches = re.compile(_as_regex(pattern)).fullmatch
        start = f"{folder}/" if folder else ""
        first = bisect_left(self._sorted, start)
        last = bisect_left(self._sorted, f"{folder}{_AFTER_SLASH}") if folder else len(self._sorted)
        return [below for name in self._sorted[first:last] if matches(below := name[len(start) :])]

    def place(self, pairs: list[tuple[str, str]]) -> None:
        """Write members to their places."""
        first: dict[str, str] = {}
        again = [(first[name], target) for name, target in pairs if first.setdefault(name, target) != target]
        # In the order of the new names, as the numbers of their inodes tell in which order files were made: that of the
        # zip may be that of their classes.
        tasks = [(self.members[name], target) for name, target in sorted(first.items(), key=lambda pair: pair[1])]
        with damage_told(self._archive, "zip"):
            extract(self._archive.name, self._file, self._zip, tasks, written=_note)
        for source, target in again:
            try:
                os.link(source, target)
            except OSError:  # no hard links here
                shutil.copyfile(source, target)


def _note(file: IO[bytes], sha256: str) -> None:
    """Keep a sum. The time tells later whether the file was changed since."""
    file.flush()
    os.utime(file.fileno(), (ONE_TIME, ONE_TIME))
    unpacked[os.fstat(file.fileno()).st_ino] = sha256


def _member(path: Path) -> tuple[Packed, str] | None:
    """The zip and the member that a raw path stands for, if there is such a one."""
    found = _find(str(path))
    name = found[0].find(found[1]) if found else None
    return (found[0], name) if found and name else None


def _find(path: str) -> tuple[Packed, str] | None:
    """The zip that a raw path lies in by its name, and that name within it; none when no folder above leads to a zip."""
    parent, _, name = path.rpartition("/")
    while parent:
        if parent in _leading and (archive := Path(parent, ARCHIVE)).is_symlink():
            return _opened_zip(archive), name
        parent, _, last = parent.rpartition("/")
        name = f"{last}/{name}"
    return None


def _opened_zip(archive: Path) -> Packed:
    try:
        facts = archive.stat()
    except OSError:
        raise DataError(f"The raw archive {archive.readlink()} is missing; fetch the raw data again.") from None
    return _open(archive, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1)
def _open(archive: Path, *identity: int) -> Packed:
    """Kept open while a recipe reads file after file."""
    return Packed(archive)


def _as_regex(pattern: str) -> str:
    if "[" in pattern:
        raise ValueError(f"{pattern!r}: only *, ? and ** are known here")
    wild = {"*": "[^/]*", "?": "[^/]"}
    parts = pattern.split("/")
    made = ["(?:[^/]+/)*" if part == "**" else "".join(wild.get(c, re.escape(c)) for c in part) + "/" for part in parts]
    return "".join(made).removesuffix("/")
