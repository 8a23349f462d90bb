"""Where the files of an object store lie: a folder of this machine, or whatever else fsspec reaches."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mlebench.data.space import is_full
from mlebench.data.walking import open_regular, walk
from mlebench.errors import MlebenchError

PART = 16 << 20
"""Bytes a request carries to or from a bucket: what a cut connection costs. Files up to this size go in one request,
which makes them whole or absent."""
_MOST_PARTS = 9_000
"""S3 takes 10,000 parts a file."""
_TRIES = 3
"""Clients of S3 and its like try again by themselves, within each of these."""
_FINAL = (FileNotFoundError, PermissionError, MlebenchError)
"""Trying these again does not help."""
_Result = TypeVar("_Result")
Send = Callable[[Callable[[bytes], Any]], None]
"""Hands a file's content to what it is given, block by block; may be asked again from the start."""


def aside_of(name: str) -> str:
    """Where a folder has a file until it is whole; a killed process leaves it there."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}.{last}.tmp"


class Place(Protocol):
    """Files by relative name. What is absent raises FileNotFoundError, other failures what they are."""

    def folders(self) -> list[str]:
        """Names of the folders directly below the root, sorted."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Relative name -> bytes of every file below a folder, which may be absent. What is no regular file is none."""

    def size(self, name: str) -> int:
        """Bytes of a file."""

    def blocks(self, name: str, expected: int) -> Iterator[bytes]:
        """A file's content; of one that is longer than `expected` at least a byte more than that."""

    def write(self, name: str, count: int, send: Send) -> None:
        """Write a file of about `count` bytes; when `send` or the place fails nothing is left where it would stand."""

    def delete(self, name: str) -> None:
        """Remove a file; it may be absent."""


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        """`root` need not exist yet."""
        self.root = root

    def folders(self) -> list[str]:
        """See Place."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.exists() else []

    def has(self, name: str) -> bool:
        """See Place."""
        try:
            return stat.S_ISREG((self.root / name).lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def sizes(self, folder: str) -> dict[str, int]:
        """See Place."""
        files = walk(self.root / folder, lambda *_: None)
        return {name: entry.stat(follow_symlinks=False).st_size for name, entry in files}

    def size(self, name: str) -> int:
        """See Place."""
        with open_regular(self.root / name, follow=False) as file:
            return os.fstat(file.fileno()).st_size

    def blocks(self, name: str, expected: int) -> Iterator[bytes]:
        """See Place."""
        left = expected + 1
        with open_regular(self.root / name, follow=False) as file:
            while left > 0 and (block := file.read(min(left, 1 << 20))):
                left -= len(block)
                yield block

    def write(self, name: str, count: int, send: Send) -> None:
        """See Place: written aside, then renamed."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.root / aside_of(name)
        try:
            with aside.open("wb") as out:
                send(out.write)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def delete(self, name: str) -> None:
        """See Place."""
        (self.root / name).unlink(missing_ok=True)


class Bucket:
    """A root that fsspec reaches. Networks fail for a moment, so each request is tried again."""

    def __init__(self, files: Any, root: str) -> None:
        """`files`: fsspec's file system; `root`: its path there, without a slash at the end."""
        self._files, self._root = files, root

    def folders(self) -> list[str]:
        """See Place."""
        self._files.invalidate_cache()
        try:
            listed = _retried(lambda: self._files.ls(self._root, detail=True))
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in listed if entry["type"] == "directory")

    def has(self, name: str) -> bool:
        """See Place. Not by fsspec's `exists`, which takes any failure for absence."""
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def sizes(self, folder: str) -> dict[str, int]:
        """See Place."""
        start = self._path(folder)
        self._files.invalidate_cache()
        try:
            found = _retried(lambda: self._files.find(start, detail=True))
        except FileNotFoundError:
            return {}
        # A store may write its root another way than we do (with or without a slash before it).
        return {path.lstrip("/")[len(start.lstrip("/")) + 1 :]: facts["size"] for path, facts in found.items()}

    def size(self, name: str) -> int:
        """See Place."""
        self._files.invalidate_cache()
        return int(_retried(lambda: self._files.info(self._path(name)))["size"])

    def blocks(self, name: str, expected: int) -> Iterator[bytes]:
        """See Place: by ranges, so that a cut connection costs one of them, not the file."""
        if expected == 0:  # no range lies in an empty file
            expected = self.size(name)
        for start in range(0, expected, PART):
            end = expected + 1 if start + PART >= expected else start + PART
            try:
                block: bytes = _retried(partial(self._files.cat_file, self._path(name), start=start, end=end))
            except Exception:
                if self.size(name) <= start:  # a range beyond the end, which stores refuse in words of their own
                    return
                raise
            yield block
            if len(block) < end - start:
                return

    def write(self, name: str, count: int, send: Send) -> None:
        """See Place."""
        path = self._path(name)
        if count <= PART:
            blocks: list[bytes] = []
            send(blocks.append)
            content = b"".join(blocks)
            _retried(lambda: self._files.pipe_file(path, content))
        else:
            _retried(lambda: self._stream(path, count, send))

    def delete(self, name: str) -> None:
        """See Place."""
        with suppress(FileNotFoundError):
            _retried(lambda: self._files.rm_file(self._path(name)))

    def _stream(self, path: str, count: int, send: Send) -> None:
        out = self._files.open(path, "wb", block_size=max(PART, -(-count // _MOST_PARTS)))
        try:
            send(out.write)
        except BaseException:
            # Closing would make a whole file of what was sent so far; so would the garbage collector.
            with suppress(Exception):
                out.discard()
                out.closed = True
            raise
        out.close()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _retried(action: Callable[[], _Result]) -> _Result:
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    return Retrying(
        stop=stop_after_attempt(_TRIES),
        wait=wait_random_exponential(multiplier=0.5, max=20),
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )(action)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, _FINAL) and not is_full(error)
