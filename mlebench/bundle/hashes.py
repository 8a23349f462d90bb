"""Walking and hashing folders that hostile hands may have filled: links are never followed, devices never opened."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mlebench.data.parallel import in_parallel

_BLOCK = 1 << 20
_PLAIN = "/ !#$&'()*+,;=@[]^{}~:"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True)
class Entry:
    """Something in a folder that is no folder itself."""

    path: str
    """Below the folder, with / between parts; bytes that are no text are lone surrogates, as os.fsdecode gives them."""
    size: int
    kind: str = "file"
    """file, or what else it is."""


def encode_path(path: str) -> str:
    """A path as plain ASCII: every byte that is not ordinary as %XX, so that any name is told exactly."""
    return quote_from_bytes(os.fsencode(path), safe=_PLAIN)


def decode_path(text: str) -> str:
    """The path that `encode_path` was given."""
    return os.fsdecode(unquote_to_bytes(text))


def walk(folder: Path) -> Iterator[Entry]:
    """Everything below a folder but folders, in no particular order; links to folders are entries, not followed."""
    root = os.fspath(folder)
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(f"{root}/{prefix}") as scan:
            for found in scan:
                path = prefix + found.name
                if found.is_dir(follow_symlinks=False):
                    waiting.append(path + "/")
                    continue
                info = found.stat(follow_symlinks=False)
                kind = stat.S_IFMT(info.st_mode)
                yield Entry(path, info.st_size, "file" if kind == stat.S_IFREG else _KINDS.get(kind, "odd entry"))


def file_sha256(path: str | Path) -> tuple[int, str]:
    """Size and hash of a regular file, read as one; OSError for anything else."""
    descriptor = os.open(path, _OPEN)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123  (a descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        computed, size = hashlib.sha256(), 0
        while block := file.read(_BLOCK):
            computed.update(block)
            size += len(block)
    return size, computed.hexdigest()


def hash_entries(folder: Path, entries: list[Entry]) -> list[tuple[Entry, int, str]]:
    """Size and hash of the files among `entries`, several at a time, in their order."""
    root = os.fspath(folder)

    def one(entry: Entry) -> tuple[Entry, int, str]:
        size, digest = file_sha256(f"{root}/{entry.path}")
        return entry, size, digest

    return in_parallel(one, [entry for entry in entries if entry.kind == "file"])


def folder_sha256(folder: Path) -> str:
    """One hash for a folder's content: names, sizes and hashes of its files, sorted; __pycache__ does not count.

    sha256 of a line `<sha256> <size> <path>` for each regular file, its path encoded as in bundle.json.
    """
    entries = [entry for entry in walk(folder) if "__pycache__" not in entry.path.split("/")[:-1]]
    lines = sorted(
        f"{digest} {size} {encode_path(entry.path)}\n" for entry, size, digest in hash_entries(folder, entries)
    )
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()
