"""Receiving a file over HTTP without holding it in memory: a raw body, or the field `file` of a multipart form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Protocol

_CHUNK = 1 << 16
_PART_HEADER_LIMIT = 16 * 1024


class UploadError(Exception):
    """The request is not an upload; `status` is the HTTP status to answer with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Readable(Protocol):
    """Where a request's body comes from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Upload:
    """A received file."""

    bytes: int
    sha256: str


def receive(body: Readable, headers: Message, path: Path, limit: int) -> Upload:
    """Write the uploaded file to `path`; UploadError 411 without a length, 413 beyond `limit`, 400 when malformed."""
    length = headers.get("Content-Length", "")
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise UploadError(411, "Send the file with a Content-Length.")
    if int(length) > limit:
        raise UploadError(413, f"The file is larger than the {limit} bytes that can be validated.")
    chunks = _exactly(body, int(length))
    if headers.get_content_type() == "multipart/form-data":
        boundary = headers.get_boundary()
        if not boundary:
            raise UploadError(400, "The multipart request names no boundary.")
        chunks = _file_field(chunks, boundary.encode("latin-1", "replace"))
    size, digest = 0, hashlib.sha256()
    try:
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
    finally:
        for _ in chunks:
            pass
    return Upload(size, digest.hexdigest())


def _exactly(body: Readable, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = body.read(min(_CHUNK, length))
        if not chunk:
            raise UploadError(400, "The request ended before its announced length.")
        length -= len(chunk)
        yield chunk


def _file_field(chunks: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """The content of the field named `file` in a multipart body."""
    parts = _parts(chunks, b"\r\n--" + boundary)
    for head, content in parts:
        if re.search(rb'(?i)^content-disposition:[^\r\n]*;\s*name="?file"?\s*(;|$|\r)', head, re.MULTILINE):
            yield from content
            for _, rest in parts:
                _drain(rest)
            return
        _drain(content)
    raise UploadError(400, "The multipart request has no field named file.")


def _drain(chunks: Iterator[bytes]) -> None:
    for _ in chunks:
        pass


def _parts(chunks: Iterator[bytes], delimiter: bytes) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """Header block and content of each part, in order; a content must be read before the next part is asked for."""
    buffer = bytearray(b"\r\n")  # the first delimiter has no line end before it

    def fill() -> bool:
        chunk = next(chunks, b"")
        buffer.extend(chunk)
        return bool(chunk)

    def until(mark: bytes) -> Iterator[bytes]:
        while True:
            at = buffer.find(mark)
            if at >= 0:
                yield bytes(buffer[:at])
                del buffer[: at + len(mark)]
                return
            safe = len(buffer) - len(mark) + 1  # what cannot be the beginning of a mark
            if safe > 0:
                yield bytes(buffer[:safe])
                del buffer[:safe]
            if not fill():
                raise UploadError(400, "The multipart request is cut off.")

    _drain(until(delimiter))
    while True:
        while len(buffer) < 2:
            if not fill():
                raise UploadError(400, "The multipart request is cut off.")
        if buffer[:2] == b"--":
            _drain(chunks)
            return
        head = bytearray()
        for piece in until(b"\r\n\r\n"):
            head.extend(piece)
            if len(head) > _PART_HEADER_LIMIT:
                raise UploadError(400, "The header of a multipart field is too long.")
        yield bytes(head).lstrip(b"\r\n"), until(delimiter)
