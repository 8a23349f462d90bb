"""A folder somewhere that fsspec can reach: a path, s3://, gs://, memory://, ...; files in it by relative name."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlebench.data.manifest import FileEntry
from mlebench.data.mirror.places import Bucket, Folder, Place
from mlebench.data.walking import open_regular
from mlebench.errors import DataError, MlebenchError, UsageError
from mlebench.pathnames import is_text, shown

_BLOCK = 1 << 20
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
Step = Callable[[int], Any]
"""Is told bytes as they are done."""


class ObjectStore:
    """One root in a store. Every failure of the store is a DataError that names it."""

    def __init__(self, url: str) -> None:
        """Connect to the store; UsageError when fsspec does not know it or a package for it is missing."""
        self.url = re.sub(r"//[^/@]*@", "//", url).rstrip("/")
        """For people: without a user name or password."""
        self._place = _connect(url)

    @property
    def local_root(self) -> Path | None:
        """The root of a store that is a folder of this machine."""
        return self._place.root if isinstance(self._place, Folder) else None

    def folders(self) -> list[str]:
        """Names of the folders directly below the root."""
        with self._told():
            return self._place.folders()

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        with self._told():
            return self._place.has(name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Relative name -> bytes of every file below a folder of the store; empty when there is no such folder."""
        with self._told():
            return self._place.sizes(folder)

    def read(self, name: str, limit: int) -> bytes | None:
        """A small file's content, none when it is absent; DataError when it is larger than `limit` bytes."""
        with self._told():
            try:
                count = self._place.size(name)
                content = b"".join(self._place.blocks(name, count)) if count <= limit else b""
            except FileNotFoundError:
                return None
        if count > limit:
            raise DataError(f"{self.url}/{name} is larger than {limit:,} bytes; it is none of ours.")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a small file; it is whole or absent."""
        with self._writing():
            self._place.write(name, len(content), lambda put: put(content))

    def delete(self, name: str) -> None:
        """Remove a file; it may be absent."""
        with self._told():
            self._place.delete(name)

    def upload(self, source: Path, name: str, entry: FileEntry, step: Step = lambda _: None) -> None:
        """Copy a file into the store; DataError, and nothing written, when it is not what its manifest says."""
        with _reading(source):
            opened = open_regular(source)
        with opened as file:

            def send(put: Callable[[bytes], Any]) -> None:
                file.seek(0)
                digest, count = hashlib.sha256(), 0
                try:
                    while True:
                        with _reading(source):
                            block = file.read(_BLOCK)
                        if not block:
                            break
                        digest.update(block)
                        put(block)
                        count += len(block)
                        step(len(block))
                    if count != entry.size or digest.hexdigest() != entry.sha256:
                        raise DataError(
                            f"{source} was changed since its manifest was written; `mlebench verify` tells what else was."
                        )
                except BaseException:
                    step(-count)
                    raise

            with self._writing():
                self._place.write(name, entry.size, send)

    def download(self, name: str, target: Path, entry: FileEntry, step: Step = lambda _: None) -> None:
        """Copy a file out of the store; DataError when it is not what the manifest says. Partial files are removed.

        Raises FileNotFoundError when the store has no such file.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, count = hashlib.sha256(), 0
        try:
            with target.open("wb") as out:
                for block in self._blocks(name, entry.size):
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

    def _blocks(self, name: str, expected: int) -> Iterator[bytes]:
        """A file's content. What goes wrong here is the store's, what goes wrong where it is used is not."""
        blocks = self._place.blocks(name, expected)
        while True:
            with self._told():
                block = next(blocks, None)
            if block is None:
                return
            yield block

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the store raises into a DataError, all but FileNotFoundError."""
        try:
            yield
        except (FileNotFoundError, MlebenchError):
            raise
        except Exception as error:
            said = getattr(error, "strerror", None) or str(error).rstrip(".") or type(error).__name__
            raise self._unusable(said) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The same; and what is not found while writing is what to write into."""
        try:
            with self._told():
                yield
        except FileNotFoundError as error:
            raise self._unusable("there is no such bucket or folder") from error

    def _unusable(self, said: str) -> DataError:
        return DataError(
            f"{self.url} cannot be used ({said}); check the address, and the credentials its package wants."
        )


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    """What goes wrong with a file that is sent is not the store's."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{source} is missing; `mlebench verify` tells what else is.") from None
    except OSError as error:
        raise DataError(
            f"{source} cannot be read ({error.strerror}); `mlebench verify` tells what else cannot."
        ) from None


def _connect(url: str) -> Place:
    if not is_text(url):  # an imported manifest says where it is from
        raise UsageError(f"The store {shown(url)} has a name that is not UTF-8; rename it.")
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme in ("", "file", "local"):
        return Folder(Path(url.partition("://")[2] if scheme else url).expanduser().absolute())
    try:
        fsspec = importlib.import_module("fsspec")
        files, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(scheme) or getattr(error, "name", None) or "its fsspec package"
        raise UsageError(f"{scheme}:// needs the package {package}: pip install {package}") from None
    except ValueError as error:
        raise UsageError(f"{url!r} is no address of a store ({error}).") from None
    return Bucket(files, root.rstrip("/"))
