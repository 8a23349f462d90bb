"""Packing a sealed folder into one file for others: the same bytes for the same bundle, nothing secret inside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from mlebench.bundle.hashes import decode_path, walk
from mlebench.bundle.index import Index, NotABundleError, read_index
from mlebench.bundle.secrets import Secrets
from mlebench.data.archives import write_tar, write_zip
from mlebench.errors import BundleError, UsageError
from mlebench.filenames import BUNDLE_FILE

LEVEL = 3
"""gzip's: several times as fast as its default, and a twentieth larger."""
SUFFIXES = (".tar.gz", ".tgz", ".zip")


def pack(
    folder: Path, target: Path, prefix: str, secrets: Secrets, step: Callable[[int], object] = lambda _: None
) -> Index:
    """Write a sealed folder as .tar.gz or .zip; the file is whole or absent. Returns the index that was packed.

    bundle.json comes first, then the files it lists, sorted, all below `prefix`/, with fixed dates, owners and modes.
    `step` is told the bytes that went in. BundleError when a file is not as it was sealed or holds a secret.
    """
    if not target.name.endswith(SUFFIXES):
        raise UsageError(f"{target.name} must end in {', '.join(SUFFIXES)}.")
    found = read_index(folder)
    if found is None:
        raise NotABundleError(
            f"The attempt in {folder} has not been sealed: it is not done, or an older version made it."
        )
    index = found[0]
    _check(folder, index, secrets, zipped=target.name.endswith(".zip"))
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    members = _members(folder, index, prefix, step)
    try:
        if target.name.endswith(".zip"):
            write_zip(aside, members)
        else:
            write_tar(aside, members, compressed=True, level=LEVEL)
        aside.replace(target)
    except OSError as error:
        raise BundleError(f"{target} cannot be written: {error.strerror or error}.") from None
    finally:
        aside.unlink(missing_ok=True)
    return index


def packed_bytes(index: Index) -> int:
    """How many bytes go into the archive, for a progress bar."""
    return sum(file.size for file in index.files.values())


def _members(folder: Path, index: Index, prefix: str, step: Callable[[int], object]) -> Iterator[tuple[str, Path]]:
    yield f"{prefix}/{BUNDLE_FILE}", folder / BUNDLE_FILE
    for path in sorted(index.files):
        yield f"{prefix}/{decode_path(path)}", folder / decode_path(path)
        step(index.files[path].size)


def _check(folder: Path, index: Index, secrets: Secrets, *, zipped: bool) -> None:
    there = {entry.path: entry for entry in walk(folder)}
    for path, file in index.files.items():
        name = decode_path(path)
        if (entry := there.get(name)) is None or entry.kind != "file" or entry.size != file.size:
            raise BundleError(f"{folder / name} is not as it was sealed; `mlebench verify {folder}` says more.")
        if zipped and not _is_text(name):
            raise BundleError(f"{path} has a name that a zip cannot hold; pack it as .tar.gz.")
    secrets.refuse(folder, index)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\\" not in name
