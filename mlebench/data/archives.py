"""Archives: hostile when read (no escapes, no links out, no bombs), reproducible when written."""

from __future__ import annotations

import calendar
import gzip
import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from mlebench.data.archive_rules import (
    check_filled,
    check_members,
    check_wanted,
    copy_bounded,
    damage_told,
    inner_path,
    new_file,
    safe_member,
    safe_names,
)
from mlebench.data.nested import content_of
from mlebench.data.raw_files import open_raw
from mlebench.data.tar_members import tar_files
from mlebench.data.zip_directory import ListedZip
from mlebench.data.zip_members import extract, open_info
from mlebench.errors import DataError

FIXED_DATE = (2000, 1, 1, 0, 0, 0)
"""Time stamp of every member that is written, so that the same input gives the same bytes."""


def extract_zip(archive: Path, folder: Path, *, members: Iterable[str] | None = None, workers: int = 0) -> int:
    """Extract a zip's regular files below `folder` (all, or the named members); return how many.

    Path escapes, symlinks, encrypted members, members that blow up beyond what their size allows, and named members that
    are not there are errors, raised before anything is written; so is a zip without files. `workers` threads share the work (0: one for each processor).
    """
    wanted = None if members is None else set(members)
    with _opened(archive) as (file, opened):
        files = [info for info in opened.infolist() if not info.is_dir()]
        if wanted is None:
            check_filled(archive.name, files)
            chosen = files
        else:
            check_wanted(str(archive), wanted, (info.filename for info in files))
            chosen = [info for info in files if info.filename in wanted]
        check_members(archive.name, chosen)
        targets = [f"{folder}/{name}" for name in safe_names(chosen)]
        for made in sorted({target.rpartition("/")[0] for target in targets}):
            try:
                Path(made).mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise DataError(f"{archive.name} needs the folder {made}, where a file is already.") from None
        extract(archive.name, file, opened, list(zip(chosen, targets, strict=True)), workers=workers)
    return len(chosen)


def extract_tar(archive: Path, folder: Path) -> int:
    """Extract a tar's (gz, bz2, xz or plain) regular files below `folder`; links and devices are errors."""
    count = 0
    with damage_told(archive, "tar"):
        for info, source in tar_files(archive):
            _write_member(archive, info.name, source, info.size, folder)
            count += 1
    return count


def read_tar(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of a tar's regular files, in its order, without writing anything.

    For archives of many small files; names have no `./` before them. The rules of `extract_tar` hold.
    """
    with damage_told(archive, "tar"):
        for info, source in tar_files(archive):
            content = io.BytesIO()
            copy_bounded(source, content, info.size, f"{archive.name}:{info.name}")
            yield safe_member(info.name).as_posix(), content.getvalue()


def visit_files(archive: Path, visit: Callable[[str, int, IO[bytes]], bool]) -> None:
    """Call `visit(name, size, content)` for each regular file of a zip or tar, in its order, until it returns false.

    Nothing is written, so names need not be UTF-8; they have no `./` before them. `visit` may leave content unread; what
    it raises comes through. The rules of `extract_zip` and `extract_tar` hold, and damage shows as a DataError when it
    is come upon.
    """
    with open_raw(archive) as file:
        zipped = file.read(2) == b"PK"
    if not zipped:
        with damage_told(archive, "tar"):
            for info, source in tar_files(archive):
                if not visit(inner_path(info.name).as_posix(), info.size, source):
                    return
        return
    with open_zip(archive) as opened:
        for member in opened.infolist():
            if member.is_dir():
                continue
            with open_info(archive.name, opened, member) as content:
                if not visit(inner_path(member.filename).as_posix(), member.file_size, content):
                    return


def tar_names(archive: Path) -> list[str]:
    """Names of a tar's regular files, in its order, without `./` before them; the whole archive is checked."""
    with damage_told(archive, "tar"):
        return [safe_member(info.name).as_posix() for info, _ in tar_files(archive)]


@contextmanager
def open_zip(archive: Path) -> Iterator[ListedZip]:
    """Open a zip for reading; a missing or broken one is a DataError that says so.

    It may be a raw file that lies in the competition's zip itself; it is then read there.
    """
    with _opened(archive) as (_, opened):
        yield opened


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[IO[bytes], ListedZip]]:
    with damage_told(archive, "zip"), open_raw(archive) as file, ListedZip(archive.name, file) as opened:
        yield file, opened


@contextmanager
def open_member(archive: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Stream one member of a zip; without a name the only file in it."""
    with open_zip(archive) as opened:
        names = [info.filename for info in opened.infolist() if not info.is_dir()]
        if member is None:
            if len(names) != 1:
                raise DataError(f"{archive} should hold exactly one file but holds {len(names)}; fetch it again.")
            member = names[0]
        elif member not in names:
            raise DataError(f"{archive} holds no {member!r}; fetch it again.")
        with open_info(archive.name, opened, opened.getinfo(member)) as stream:
            yield stream


def read_members(archive: Path, names: Iterable[str], *, last_time: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files of a zip, in the order asked for, without writing anything.

    For many small files that go to other names or into another archive. The rules of `extract_zip` hold. With
    `last_time` what reading them took on the disk goes at once: for archives within the competition's zip, of which each
    file is read once.
    """
    with _opened(archive) as (file, opened):
        within = content_of(file)
        for name in names:
            try:
                info = opened.getinfo(name)
            except KeyError:
                raise DataError(f"{archive} holds no {name!r}; fetch it again.") from None
            content = io.BytesIO()
            with open_info(archive.name, opened, info) as source:
                copy_bounded(source, content, info.file_size, f"{archive.name}:{name}")
            yield name, content.getvalue()
            if within and last_time:
                within.release(info.header_offset, opened.ends[info.header_offset])


Writer = Callable[[IO[bytes]], None]
"""Writes a member's content."""


def write_zip(
    archive: Path, members: Iterable[tuple[str, Path | bytes | Writer]], *, compression: int = zipfile.ZIP_DEFLATED
) -> int:
    """Write (member name, file, bytes or what writes it) pairs, in the order given, with fixed dates; return how many."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "x", compression) as out:
        return _write_members(out, members)


def zip_bytes(
    members: Iterable[tuple[str, Path | bytes | Writer]], *, compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """The bytes of the archive that `write_zip` writes, for archives within archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "x", compression) as out:
        _write_members(out, members)
    return buffer.getvalue()


def _write_members(out: zipfile.ZipFile, members: Iterable[tuple[str, Path | bytes | Writer]]) -> int:
    count = 0
    for name, content in members:
        info = zipfile.ZipInfo(name, FIXED_DATE)
        info.compress_type = out.compression
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        if isinstance(content, bytes):
            out.writestr(info, content)
        elif callable(content):
            with out.open(info, "w", force_zip64=True) as target:
                content(target)
        else:
            info.file_size = content.stat().st_size
            with content.open("rb") as source, out.open(info, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        count += 1
    return count


@contextmanager
def create_zip(archive: Path, member: str, *, level: int | None = None) -> Iterator[IO[bytes]]:
    """Write a zip of one member as a stream, for what is too large to lie about as a plain file; fixed date.

    `level` is deflate's, 1 (fastest) to 9; none is its default.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=level) as out,
        out.open(member, "w", force_zip64=True) as stream,
    ):
        yield stream


def zip_folder(folder: Path, archive: Path, *, prefix: str = "") -> int:
    """Zip every file below `folder`, sorted by name, as `prefix` + relative path; return how many."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return write_zip(archive, ((prefix + path.relative_to(folder).as_posix(), path) for path in files))


def write_tar(
    archive: Path, members: Iterable[tuple[str, Path | bytes]], *, compressed: bool = False, level: int = 9
) -> int:
    """Write (member name, file or bytes) pairs, in the order given, with fixed dates and owners; return how many.

    `compressed` puts gzip around the tar, of this `level` from 1 (fastest) to 9.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        archive.open("xb") as file,
        gzip.GzipFile("", "wb", level, file, mtime=0) if compressed else nullcontext(file) as stream,
        tarfile.open(fileobj=stream, mode="w|") as out,
    ):
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mtime = calendar.timegm(FIXED_DATE)
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source:
                info.size = source.seek(0, io.SEEK_END)
                source.seek(0)
                out.addfile(info, source)
            count += 1
    return count


def _write_member(archive: Path, name: str, source: IO[bytes], size: int, folder: Path) -> None:
    """Write a member to its place below `folder`, which must be free."""
    target = folder / safe_member(name)
    with suppress(FileExistsError, NotADirectoryError):  # opening says so
        target.parent.mkdir(parents=True, exist_ok=True)
    with new_file(archive.name, name, str(target)) as out:
        copy_bounded(source, out, size, f"{archive.name}:{name}")
