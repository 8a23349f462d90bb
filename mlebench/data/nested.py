"""Members of a zip as files that are read at any place, such as archives within it, without being unpacked to the disk.

A stored member is as quick as a file. In a deflated one, going back starts from marks left on the way. Where that is done
so often that it costs more than another run through the member, the rest is served from memory or, where it is large,
from a file without a name, from which what was read for the last time is released: it holds no more disk than what is
still to come.
"""

from __future__ import annotations

import ctypes
import io
import os
import struct
import tempfile
import threading
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import IO

ReadAt = Callable[[int, int], bytes]
"""Up to so many bytes from this offset, for several threads at a time."""
_HEADER = struct.Struct("<6xH18xHH")
_UTF8_NAMES = 0x0800
_HEADER_SIZE = 30
_PIECE = 1 << 16
_MOST_MARKS = 1000
"""Each takes some 40 kB of memory."""
_LEAST_APART = 4 << 20
_MOST_SKIPPED = 2
"""Times a member's size that is inflated only to be passed over; once is needed to find the end of an archive."""
_MOST_HELD = 128 << 20
_BLOCK = 4096
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
"""Linux' flags to fallocate."""


def member_content(parent: ReadAt, info: zipfile.ZipInfo, end: int, scratch: Path) -> Content:
    """What a stored or deflated member holds, given how to read the zip; zipfile.BadZipFile where the zip is damaged.

    `end` is where the next member begins; `scratch` is a folder for what has to be unpacked after all.
    """
    header = parent(_HEADER_SIZE, info.header_offset)
    if len(header) < _HEADER_SIZE or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has a bad local header")
    flags, name_size, extra_size = _HEADER.unpack_from(header)
    name = parent(name_size, info.header_offset + _HEADER_SIZE)
    if name.decode("utf-8" if flags & _UTF8_NAMES else "cp437", "replace") != info.orig_filename:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has another name in its local header")
    start = info.header_offset + _HEADER_SIZE + name_size + extra_size
    if start + info.compress_size > end:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} overlaps another member")
    if info.compress_type == zipfile.ZIP_DEFLATED:
        return Inflated(parent, start, info, scratch)
    if info.compress_size != info.file_size:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} is not as large as its archive says")
    return Content(parent, start, info)


def open_content(content: Content) -> IO[bytes]:
    """A file of its own on what a member holds."""
    return io.BufferedReader(_Reader(content), 1 << 18)


def content_of(file: IO[bytes]) -> Content | None:
    """The member that a file reads, if it is one of `open_content`."""
    reader = getattr(file, "raw", None)
    return reader.content if isinstance(reader, _Reader) else None


class Content:
    """A stored member: it lies in the zip as it is."""

    def __init__(self, parent: ReadAt, start: int, info: zipfile.ZipInfo) -> None:
        self.size = info.file_size
        self._parent = parent
        self._start = start
        self._name = info.orig_filename
        self._sum = info.CRC
        self._furthest = self._crc = 0
        """How far the content was read without a gap, and the check sum up to there."""
        self._lock = threading.Lock()

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to so many bytes from this offset; zipfile.BadZipFile where the content's check sum turns out wrong."""
        size = max(0, min(size, self.size - offset))
        content = self._parent(size, self._start + offset)
        if len(content) < size:
            raise zipfile.BadZipFile(f"{self._name!r} is cut off")
        with self._lock:
            self._check(content, offset)
        return content

    def _check(self, content: bytes, offset: int) -> None:
        """Go on with the check sum, if this begins where it stands or before, and compare it at the end."""
        end = offset + len(content)
        if not offset <= self._furthest < end:
            return
        crc = zlib.crc32(memoryview(content)[self._furthest - offset :], self._crc)
        if end == self.size and crc != self._sum:
            raise zipfile.BadZipFile(f"{self._name!r} has a bad check sum")
        self._furthest, self._crc = end, crc

    def release(self, start: int, end: int) -> None:
        """These bytes will not be read again."""


class Inflated(Content):
    """A deflated member."""

    def __init__(self, parent: ReadAt, start: int, info: zipfile.ZipInfo, scratch: Path) -> None:
        super().__init__(parent, start, info)
        self._packed_size = info.compress_size
        self._apart = max(_LEAST_APART, self.size // _MOST_MARKS)
        self._marks = [(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))]
        """Places in the content and in the packed bytes, and the inflater that goes on from there."""
        self._go_to_mark(0)
        self._skipped = 0
        self._scratch = scratch
        self._unpacked: _Held | _OnDisk | None = None
        self._released: list[tuple[int, int]] = []

    def read_at(self, size: int, offset: int) -> bytes:
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        if self._unpacked is None:
            with self._lock:
                return self._inflate(size, offset)
        return self._unpacked.read_at(size, offset)

    def release(self, start: int, end: int) -> None:
        if self._unpacked is None:
            self._released.append((start, end))
        else:
            self._unpacked.release(start, end)

    def _inflate(self, size: int, offset: int) -> bytes:
        self._approach(offset)
        found = []
        while size:
            skip = offset - self._begin
            if skip < len(self._content):
                piece = self._content[skip : skip + size]
                found.append(piece)
                offset, size = offset + len(piece), size - len(piece)
            else:
                self._go_on()
                if offset >= self._begin + len(self._content):
                    self._skipped += len(self._content)
        if self._skipped > _MOST_SKIPPED * self.size:
            self._unpack()
        return b"".join(found)

    def _approach(self, offset: int) -> None:
        """Start from the nearest mark, unless going on from here is nearer."""
        end = self._begin + len(self._content)
        if self._begin <= offset <= end:
            return
        before = bisect_right(self._marks, offset, key=lambda mark: mark[0]) - 1
        if offset < self._begin or self._marks[before][0] > end:
            self._go_to_mark(before)

    def _go_to_mark(self, number: int) -> None:
        self._begin, self._packed_place, inflater = self._marks[number]
        self._inflater = inflater.copy()
        self._content = b""

    def _go_on(self) -> None:
        """Inflate the next piece; it takes the place of the last one."""
        end = self._begin + len(self._content)
        left = self._packed_size - self._packed_place
        packed = self._parent(min(_PIECE, left), self._start + self._packed_place)
        if not packed or self._inflater.eof:
            raise zipfile.BadZipFile(f"{self._name!r} is cut off")
        self._begin, self._content = end, self._inflater.decompress(packed)
        self._packed_place += len(packed)
        end += len(self._content)
        if end > self.size:
            raise zipfile.BadZipFile(f"{self._name!r} is larger than its archive says")
        self._check(self._content, self._begin)
        if end >= self._marks[-1][0] + self._apart:
            self._marks.append((end, self._packed_place, self._inflater.copy()))

    def _unpack(self) -> None:
        unpacked = _Held() if self.size <= _MOST_HELD else _OnDisk(self.size, self._scratch)
        self._go_to_mark(0)
        while self._begin + len(self._content) < self.size:
            self._go_on()
            unpacked.write(self._content)
        for start, end in self._released:
            unpacked.release(start, end)
        self._unpacked = unpacked
        del self._marks[1:], self._released[:]


class _Held:
    """Unpacked content in memory."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, piece: bytes) -> None:
        self._content += piece

    def read_at(self, size: int, offset: int) -> bytes:
        return bytes(memoryview(self._content)[offset : offset + size])

    def release(self, start: int, end: int) -> None:
        """Nothing: it goes as a whole."""


class _OnDisk:
    """Unpacked content in a file without a name, which loses each block whose bytes were all released."""

    def __init__(self, size: int, scratch: Path) -> None:
        import numpy as np

        self._file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  (it goes with this object)
        self._left = np.full(-(-size // _BLOCK), _BLOCK, dtype=np.int32)
        """Bytes of each block that may still be read."""

    def write(self, piece: bytes) -> None:
        self._file.write(piece)

    def read_at(self, size: int, offset: int) -> bytes:
        self._file.flush()
        return os.pread(self._file.fileno(), size, offset)

    def release(self, start: int, end: int) -> None:
        if start >= end:
            return
        first, last = start // _BLOCK, (end - 1) // _BLOCK
        self._left[first + 1 : last] = 0
        if first == last:
            self._left[first] -= end - start
        else:
            self._left[first] -= (first + 1) * _BLOCK - start
            self._left[last] -= end - last * _BLOCK
        first += int(self._left[first] > 0)
        last -= int(self._left[last] > 0)
        _punch_hole(self._file.fileno(), first * _BLOCK, (last + 1 - first) * _BLOCK)


class _Reader(io.RawIOBase):
    """A place in a member's content."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.content.size}[whence]
        if place < 0:
            raise ValueError("a place before the start of the file")
        self._place = place
        return place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        content = self.content.read_at(len(buffer), self._place)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def _punch_hole(descriptor: int, start: int, size: int) -> None:
    """Give the disk blocks of a part of a file back; nothing happens where the file system (or system) cannot."""
    if size > 0 and _fallocate is not None:
        _fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, start, size)


def _find_fallocate() -> Callable[..., int] | None:
    library = ctypes.CDLL(None)
    # musl has one name only, and its offsets have 64 bits everywhere.
    function = getattr(library, "fallocate64", None) or getattr(library, "fallocate", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return function


_fallocate = _find_fallocate()
