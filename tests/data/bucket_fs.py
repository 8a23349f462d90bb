"""parcels://: an fsspec file system that behaves as S3 does where that matters, with failures on demand.

Files are whole or absent; closing a file that is being written makes it whole; what is discarded is gone; a range that
begins at or beyond the end is refused; a bucket must exist before anything is put into it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

BUCKET = "lab"


class Parcels(AbstractFileSystem):
    """One instance a test: `cachable = False`."""

    protocol = "parcels"
    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.content: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        """How often each verb was asked for."""
        self.under_way = 0
        """Uploads that were begun and neither finished nor discarded."""
        self.fails: Callable[[str, str], None] = lambda verb, path: None
        """Called before each request; may raise."""

    def request(self, verb: str, path: str) -> str:
        self.asked[verb] += 1
        self.fails(verb, path)
        path = self._strip_protocol(path)
        if verb in ("put", "part") and path.partition("/")[0] != BUCKET:
            raise FileNotFoundError("The specified bucket does not exist")
        return path

    def pipe_file(self, path: str, value: bytes, **options: Any) -> None:
        self.content[self.request("put", path)] = bytes(value)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        content = self._of(self.request("get", path))
        if start is not None and start >= len(content):
            raise OSError("InvalidRange")
        return content[start:end]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        path = self.request("head", path)
        return {"name": path, "size": len(self._of(path)), "type": "file"}

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        start, found = self.request("list", path).rstrip("/") + "/", {}
        for name, content in self.content.items():
            if name.startswith(start):
                first, slash, _ = name[len(start) :].partition("/")
                kind = "directory" if slash else "file"
                found[start + first] = {"name": start + first, "size": 0 if slash else len(content), "type": kind}
        return list(found.values()) if detail else list(found)

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **options: Any
    ):
        start = self.request("list", path).rstrip("/") + "/"
        names = [name for name in self.content if name.startswith(start)]
        return {name: {"name": name, "size": len(self.content[name]), "type": "file"} for name in names}

    def rm_file(self, path: str) -> None:
        self.content.pop(self.request("delete", path), None)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Parcel:
        return Parcel(self, path, mode, block_size or "default", **options)

    def _of(self, path: str) -> bytes:
        if path not in self.content:
            raise FileNotFoundError(path)
        return self.content[path]


class Parcel(AbstractBufferedFile):
    """A file that is being written, part by part."""

    parts: io.BytesIO | None = None

    def _initiate_upload(self) -> None:
        self.fs.under_way += 1
        self.parts = io.BytesIO()

    def _upload_chunk(self, final: bool = False) -> bool:
        path = self.fs.request("part", self.path)
        self.parts.write(self.buffer.getvalue())
        if final:
            self.fs.content[path] = self.parts.getvalue()
            self.fs.under_way -= 1
        return True

    def discard(self) -> None:
        if self.parts is not None:
            self.fs.under_way -= 1
        self.parts = self.buffer = None
