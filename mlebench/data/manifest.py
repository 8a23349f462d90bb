"""manifest.json of a prepared folder: where it came from, what made it, every file's size and hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mlebench import __version__
from mlebench.competition import Checksums, Edition
from mlebench.data.parallel import in_parallel
from mlebench.data.walking import Odd, open_regular, walk
from mlebench.errors import DataError
from mlebench.filenames import MANIFEST
from mlebench.pathnames import shown

_BLOCK = 1 << 20


class FileEntry(BaseModel):
    """One file of a prepared folder."""

    size: int = Field(ge=0, lt=1 << 63)
    sha256: str


class ChecksumResult(BaseModel):
    """One published md5 sum compared with the prepared file."""

    file: str
    expected: str
    found: str | None
    """None: the file is absent."""

    @property
    def holds(self) -> bool:
        """Whether the file is byte for byte the published one."""
        return self.expected == self.found


class Manifest(BaseModel):
    """The record beside prepared data; a folder without one was made by another tool."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    competition: str
    edition: Edition
    source: str
    """kaggle, synthetic, bundled, folder, or adopted (made by another tool and found here)."""
    source_detail: str = ""
    """The folder or archive the raw files came from, or the generator's seed and scale."""
    imported_from: str = ""
    """The mirror this came from; empty when it was prepared here. Its source is what it was there."""
    new_source: str = ""
    """Why the raw files are another release than the published one, which the user accepted; empty otherwise."""
    verified: bool | None = None
    """Published checksums: all hold (true), some do not (false), none to compare with (none: synthetic, bundled)."""
    checksums: list[ChecksumResult] = []
    complete: bool = True
    """False: only what grading needs is here (answers and sample), not what agents need."""
    files: dict[str, FileEntry] = {}
    """Path below the prepared folder -> size and hash."""
    versions: dict[str, str] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def content_sha256(self) -> str:
        """One hash for the files' names, sizes and hashes: the same wherever the same data was prepared."""
        files = {name: [entry.size, entry.sha256] for name, entry in self.files.items()}
        text = json.dumps(files, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def write(self, path: Path) -> None:
        """Write aside, then rename."""
        aside = path.with_name(path.name + ".tmp")
        aside.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        aside.replace(path)


def parse_manifest(content: bytes) -> Manifest:
    """The manifest that a file holds; ValueError on any other content, hostile one included."""
    # Not by `json`: it ends in a RecursionError where brackets stand in brackets.
    return Manifest.model_validate_json(content)


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at this path; none when there is none. A damaged one is a DataError."""
    try:
        with open_regular(path) as file:
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror}.") from None
    try:
        return parse_manifest(content)
    except ValueError:
        raise DataError(f"{path} is damaged; delete {path.parent} and prepare the competition again.") from None


def versions() -> dict[str, str]:
    """Versions of everything whose change could change prepared bytes."""
    import platform

    import numpy
    import pandas

    return {
        "mlebench": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "pandas": pandas.__version__,
    }


def list_files(folder: Path) -> Iterator[Path]:
    """Every regular file below a prepared folder, sorted, without the manifest."""
    return (folder / name for name, _ in list_sizes(folder))


def list_sizes(folder: Path, odd: Odd = lambda *_: None) -> Iterator[tuple[str, int]]:
    """Relative path and size of what `list_files` lists, in its order; `odd` is told what it does not list, and why."""
    files = walk(folder, odd)
    return ((name, entry.stat(follow_symlinks=False).st_size) for name, entry in files if name != MANIFEST)


def hash_files(prepared: Path, known: Mapping[str, str] | None = None) -> dict[str, FileEntry]:
    """Size and sha256 of every file below `prepared`, several at a time, but for the sums that are `known` already.

    DataError where there is anything but regular files with names that a manifest can hold.
    """

    def refuse(name: str, why: str) -> None:
        raise DataError(f"{shown(f'{prepared}/{name}')} {why}; prepared data holds regular files only.")

    return _hashed(prepared, list_sizes(prepared, refuse), known or {})


def raw_sizes(raw: Path) -> Iterator[tuple[str, int]]:
    """Relative path and size of every raw file, sorted; a symlink to a file is that file. DataError on all else."""

    def refuse(name: str, why: str) -> None:
        raise DataError(f"{shown(f'{raw}/{name}')} {why}; put the files themselves there, or remove it.")

    return ((name, entry.stat().st_size) for name, entry in walk(raw, refuse, follow=True))


def hash_raw(raw: Path) -> dict[str, FileEntry]:
    """Size and sha256 of what `raw_sizes` lists."""
    return _hashed(raw, raw_sizes(raw), {})


def _hashed(folder: Path, files: Iterator[tuple[str, int]], sums: Mapping[str, str]) -> dict[str, FileEntry]:

    def entry(listed: tuple[str, int]) -> tuple[str, FileEntry]:
        name, size = listed
        return name, FileEntry(size=size, sha256=sums.get(name) or _sha256(f"{folder}/{name}", size))

    return dict(in_parallel(entry, files))


def _sha256(path: str, size: int) -> str:
    """What `digest` gives, with fewer calls for a small file: pictures come by the hundred thousand."""
    if size > _BLOCK:
        return digest(path, "sha256")
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(file, size + 1)
    finally:
        os.close(file)
    return (
        hashlib.sha256(content, usedforsecurity=False).hexdigest() if len(content) == size else digest(path, "sha256")
    )


def compare_checksums(prepared: Path, published: Checksums) -> list[ChecksumResult]:
    """Compare the published md5 sums with the prepared files."""
    wanted = {f"public/{name}": md5 for name, md5 in published.public.items()}
    wanted |= {f"private/{name}": md5 for name, md5 in published.private.items()}

    def compare(item: tuple[str, str]) -> ChecksumResult:
        name, md5 = item
        path = prepared / name
        return ChecksumResult(file=name, expected=md5, found=digest(path, "md5") if path.is_file() else None)

    return in_parallel(compare, wanted.items(), batch=1)


def digest(path: Path | str, algorithm: str) -> str:
    """A file's check sum in hexadecimal digits."""
    computed = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (a path object each costs as much as a small file)
        while block := file.read(_BLOCK):
            computed.update(block)
    return computed.hexdigest()
