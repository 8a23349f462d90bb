"""Reading the files of a tar, which may be compressed, one after another.

tarfile takes a bad or missing header for the end, and reads what stands before a member's header (long names, pax
records, maps of sparse files) whole, however large. So what ends a tar is looked at here, and how far tarfile reads for
one header is bounded.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, Self, cast

from mlebench.data.archive_rules import check_total, expansion_limit
from mlebench.data.raw_files import open_raw
from mlebench.errors import DataError

_STREAMS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""First bytes of a compressed tar -> what opens it. They compare check sums, which tarfile's own streams do not."""
_MOST_HEADERS = 1 << 20
"""Bytes from the end of one member to the content of the next one; names and attributes take some thousands."""


def tar_files(archive: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """A tar's regular files, each to be read before the next one; the whole archive is checked on the way.

    tarfile.TarError, or what a decompressor raises, where it is damaged.
    """
    total = 0
    with open_raw(archive) as file, _stream(file) as stream:
        limit = expansion_limit(file.seek(0, io.SEEK_END))
        file.seek(0)
        source = _Bounded(archive.name, stream, limit)
        with _parsing():
            opened = tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|", tarinfo=_Header)  # noqa: SIM115
        while info := _next(opened):
            source.end = opened.offset + _MOST_HEADERS
            if info.isdir():
                continue
            if not info.isreg():
                raise DataError(f"{archive.name} holds {info.name!r}, which is no regular file; do not use it.")
            total += info.size
            check_total(archive.name, total, limit)
            content = opened.extractfile(info)
            assert content is not None
            yield info, content
        _check_end(opened, compressed=stream is not file)
        source.end = None
        while source.read(1 << 20):  # to the end, where the check sum is
            pass


def _stream(file: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """What is in a file that may be compressed, from its start; closing it leaves the file open."""
    start = file.read(6)
    file.seek(0)
    for magic, opener in _STREAMS.items():
        if start.startswith(magic):
            return opener(file)
    return nullcontext(file)


class _Bounded:
    """The bytes that tarfile reads: no more of them than the archive may unpack to, and none behind `end`."""

    def __init__(self, archive: str, stream: IO[bytes], limit: int) -> None:
        self.end: int | None = _MOST_HEADERS
        self._archive = archive
        self._stream = stream
        self._limit = limit
        self._place = 0

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._place += len(content)
        check_total(self._archive, self._place, self._limit)
        if self.end is not None and self._place > self.end + size:  # tarfile reads ahead by this much
            raise tarfile.ReadError("what stands before a member is too long")
        return content


class _Header(tarfile.TarInfo):
    """A member's header; a bad one is damage, not the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not any(buf) and len(buf) in (0, tarfile.BLOCKSIZE):  # the end, at which `_check_end` looks
                raise
            raise tarfile.ReadError(str(error)) from None
        if header.size < 0:
            raise tarfile.ReadError("a size is negative")
        return header


def _next(opened: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _parsing():
        info = opened.next()
    opened.members.clear()  # type: ignore[attr-defined]  # tarfile would gather them
    if info is not None and info.size < 0:  # by a record before its header
        raise tarfile.ReadError("a size is negative")
    return info


def _check_end(opened: tarfile.TarFile, *, compressed: bool) -> None:
    """Two blocks of zeros are the end, as is one that nothing follows; what follows two of them does not matter."""
    assert opened.fileobj is not None
    zeros = opened.fileobj.tell() > opened.offset
    if any(opened.fileobj.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError("a header is missing")
    if not zeros and not compressed:  # a compressed one has a check sum at its end
        raise tarfile.ReadError("its end is missing")


@contextmanager
def _parsing() -> Iterator[None]:
    """Around tarfile's reading of headers, where damage shows in more ways than a TarError."""
    try:
        yield
    except (ValueError, LookupError, OverflowError, RecursionError) as error:
        raise tarfile.ReadError(f"a header is damaged: {error}") from None
