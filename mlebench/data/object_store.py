"""A folder somewhere that fsspec can reach: a path, s3://, gs://, memory://, ...; files in it by relative name."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mlebench.data.manifest import FileEntry
from mlebench.data.space import is_full
from mlebench.errors import DataError, MlebenchError, UsageError

_SMALL = 8 << 20
"""Files up to this size are sent in one request, which makes them whole or absent."""
_BLOCK = 1 << 20
_TRIES = 4
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_FINAL = (FileNotFoundError, PermissionError, MlebenchError)
"""Trying these again does not help."""
_Result = TypeVar("_Result")
Step = Callable[[int], Any]
"""Is told bytes as they are done."""


class ObjectStore:
    """One root in a store. Every failure of the store is a DataError that names it."""

    def __init__(self, url: str) -> None:
        """Connect to the store; UsageError when fsspec does not know it or a package for it is missing."""
        self.url = re.sub(r"//[^/@]*@", "//", url).rstrip("/")
        """For people: without a user name or password."""
        self._files, self._root = _connect(url)
        self.is_local = "file" in _protocols(self._files)

    @property
    def local_root(self) -> Path:
        """The root of a store that is a folder of this machine."""
        return Path(self._root)

    def folders(self) -> list[str]:
        """Names of the folders directly below the root."""
        with self._told():
            self._files.invalidate_cache()
            if not self._files.exists(self._root):
                return []
            listed = self._retried(lambda: self._files.ls(self._root, detail=True))
        return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in listed if entry["type"] == "directory")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        with self._told():
            return bool(self._retried(lambda: self._files.exists(self._path(name))))

    def sizes(self, folder: str) -> dict[str, int]:
        """Relative name -> bytes of every file below a folder of the store; empty when there is no such folder."""
        start = self._path(folder)
        with self._told():
            self._files.invalidate_cache()
            try:
                found = self._retried(lambda: self._files.find(start, detail=True))
            except FileNotFoundError:
                return {}
        # A store may write its root another way than we do (with or without a slash before it).
        return {path.lstrip("/")[len(start.lstrip("/")) + 1 :]: facts["size"] for path, facts in found.items()}

    def read(self, name: str, limit: int) -> bytes | None:
        """A small file's content, none when it is absent; DataError when it is larger than `limit` bytes."""
        with self._told():
            try:
                with self._files.open(self._path(name), "rb") as file:
                    content = file.read(limit + 1)
            except FileNotFoundError:
                return None
        if len(content) > limit:
            raise DataError(f"{self.url}/{name} is larger than {limit:,} bytes; it is none of ours.")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; it is whole or absent."""
        with self._told():
            if self.is_local:
                path = Path(self._path(name))
                path.parent.mkdir(parents=True, exist_ok=True)
                aside = path.with_name(path.name + ".tmp")
                aside.write_bytes(content)
                aside.replace(path)
            else:
                self._retried(lambda: self._files.pipe_file(self._path(name), content))

    def delete(self, name: str) -> None:
        """Remove a file; it may be absent."""
        with self._told():
            try:
                self._retried(lambda: self._files.rm_file(self._path(name)))
            except FileNotFoundError:
                pass

    def upload(self, source: Path, name: str, entry: FileEntry, step: Step = lambda _: None) -> None:
        """Copy a file into the store; DataError when it is not what its manifest says."""
        if entry.size <= _SMALL:
            content = source.read_bytes()
            if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
                raise _changed(source)
            self.write(name, content)
            step(len(content))
            return
        with self._told():
            self._retried(lambda: self._stream_up(source, name, entry, step))

    def download(self, name: str, target: Path, entry: FileEntry, step: Step = lambda _: None) -> None:
        """Copy a file out of the store; DataError when it is not what the manifest says. Partial files are removed."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._retried(lambda: self._stream_down(name, target, entry, step))

    def _stream_up(self, source: Path, name: str, entry: FileEntry, step: Step) -> None:
        path, digest = self._path(name), hashlib.sha256()
        if self.is_local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        count = 0
        try:
            with source.open("rb") as file, self._files.open(path, "wb") as out:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
                    count += len(block)
                    step(len(block))
        except BaseException:
            step(-count)
            raise
        if digest.hexdigest() != entry.sha256:
            self._files.rm_file(path)
            raise _changed(source)

    def _stream_down(self, name: str, target: Path, entry: FileEntry, step: Step) -> None:
        digest, count = hashlib.sha256(), 0
        try:
            with target.open("wb") as out:
                for block in self._blocks(name):
                    count += len(block)
                    if count > entry.size:
                        break
                    digest.update(block)
                    out.write(block)
                    step(len(block))
            if count != entry.size or digest.hexdigest() != entry.sha256:
                raise DataError(
                    f"{self.url}/{name} is not the file that its manifest tells of; export it anew with --force."
                )
        except BaseException:
            step(-min(count, entry.size))
            target.unlink(missing_ok=True)
            raise

    def _blocks(self, name: str) -> Iterator[bytes]:
        """A file's content. What goes wrong here is the store's, what goes wrong where it is used is not."""
        with self._told():
            file = self._files.open(self._path(name), "rb")
        with file:
            while True:
                with self._told():
                    block = file.read(_BLOCK)
                if not block:
                    return
                yield block

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _retried(self, action: Callable[[], _Result]) -> _Result:
        """Networks fail for a moment, local disks do not."""
        if self.is_local:
            return action()
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

        return Retrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.5, max=20),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )(action)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, MlebenchError):
            raise
        except Exception as error:
            said = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise StoreError(
                f"{self.url} cannot be used ({said}); check the address, and the credentials its package wants."
            ) from error


class StoreError(DataError):
    """The store failed; another try may help."""


def _may_pass(error: BaseException) -> bool:
    cause = error.__cause__ if isinstance(error, StoreError) else error
    return isinstance(cause, Exception) and not isinstance(cause, _FINAL) and not is_full(cause)


def _changed(source: Path) -> DataError:
    return DataError(f"{source} was changed since its manifest was written; `mlebench verify` tells what else was.")


def _connect(url: str) -> tuple[Any, str]:
    scheme = url.partition("://")[0] if "://" in url else ""
    try:
        fsspec = importlib.import_module("fsspec")
        if scheme in ("", "file", "local"):
            path = Path(url.partition("://")[2] if scheme else url).expanduser().absolute()
            return fsspec.filesystem("file"), path.as_posix()
        files, root = fsspec.core.url_to_fs(url)
        return files, root.rstrip("/")
    except ImportError as error:
        package = _PACKAGES.get(scheme) or getattr(error, "name", None) or "its fsspec package"
        what = f"{scheme}://" if scheme else "A mirror"
        raise UsageError(f"{what} needs the package {package}: pip install {package}") from None
    except ValueError as error:
        raise UsageError(f"{url!r} is no address of a store ({error}).") from None


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
