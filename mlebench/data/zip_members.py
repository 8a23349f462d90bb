"""Reading members of a zip faster than zipfile does, by several threads, and archives that are members themselves.

zipfile opens a member in some 60 microseconds of Python, most of the time that an archive of small files takes. What
is here reads header and content at once, for plain members that are small enough to be held in memory; it compares
what zipfile compares (names, overlaps, sizes, check sums) and complains as zipfile does.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO

from mlebench.data.archive_rules import check_size, check_zip_member, copy_bounded, new_file, parsing
from mlebench.data.parallel import in_parallel

MAX_IN_MEMORY = 8 << 20
"""Larger members are streamed."""
_HEADER = struct.Struct("<4s22xHH")
_HEADER_SIZE = 30
_SPARE = 64
"""Room for the extra fields of a local header, so that one read is enough."""
_HARMLESS_FLAGS = 0x0002 | 0x0004 | 0x0008 | 0x0800
"""Deflate's effort, sizes after the content, names in UTF-8."""
_UTF8_NAMES = 0x0800
_PIECE = 1 << 16
_MOST_MARKS = 1000
_LEAST_APART = 4 << 20
ReadAt = Callable[[int, int], bytes]
"""Up to so many bytes from this offset, for several threads at a time."""
Written = Callable[[IO[bytes], str], None]


def read_at(file: IO[bytes]) -> ReadAt:
    """How to read a file, or a member opened by `open_nested`, at any place."""
    raw = getattr(file, "raw", file)
    return raw.read_at if isinstance(raw, _Nested) else partial(_pread, file.fileno())


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    return os.pread(descriptor, size, offset)


def extract(
    archive: str,
    file: IO[bytes],
    opened: zipfile.ZipFile,
    tasks: Sequence[tuple[zipfile.ZipInfo, str]],
    *,
    workers: int = 0,
    limits: dict[int, int] | None = None,
    written: Written | None = None,
) -> None:
    """Write members of the zip `opened` from `file` to their places, which must be free; the folders are there.

    `workers` threads share the work (0: one for each processor). `archive` is the name that errors give it; `limits` is
    what `ends` says of it, where it is known. `written` is told each file, still open, and the sha256 of its content.
    """
    limits = limits or ends(opened.infolist(), opened.start_dir)
    read = read_at(file)
    if isinstance(getattr(file, "raw", None), Inflated):
        workers = 1  # threads would drag each other to and fro
    counting = threading.Lock()  # ZipFile counts its open members without a lock of its own

    def one(task: tuple[zipfile.ZipInfo, str]) -> None:
        info, target = task
        name = f"{archive}:{info.filename}"
        with new_file(archive, info.filename, target) as out:
            if is_plain(info):
                content = read_plain(read, info, limits[info.header_offset])
                check_size(len(content) - info.file_size, name)
                out.write(content)
                if written is not None:
                    written(out, hashlib.sha256(content, usedforsecurity=False).hexdigest())
                return
            with counting:
                source = open_info(archive, opened, info)
            computed = hashlib.sha256(usedforsecurity=False)
            try:
                copy_bounded(source, out, info.file_size, name, computed.update if written is not None else None)
            finally:
                with counting:
                    source.close()
            if written is not None:
                written(out, computed.hexdigest())

    in_parallel(one, tasks, workers)


def open_info(archive: str, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member that may be read, as a stream whose check sum is compared at its end."""
    check_zip_member(archive, info)
    with parsing():
        return opened.open(info)


def is_plain(info: zipfile.ZipInfo) -> bool:
    """Whether `read_plain` may read this member."""
    return (
        info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        and not info.flag_bits & ~_HARMLESS_FLAGS
        and info.file_size <= MAX_IN_MEMORY
        and info.compress_size <= MAX_IN_MEMORY
    )


def read_plain(read: ReadAt, info: zipfile.ZipInfo, end: int) -> bytes:
    """The content of a plain member, whose bytes must lie before the offset `end`; zipfile.BadZipFile otherwise.

    The result may be of another length than `info.file_size`, by at most one byte more, where the archive lies.
    """
    if info.header_offset < 0:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} lies outside the file")
    name_guess = len(info.orig_filename.encode())
    block = read(_HEADER_SIZE + name_guess + _SPARE + info.compress_size, info.header_offset)
    if len(block) < _HEADER_SIZE:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} lies outside the file")
    signature, name_size, extra_size = _HEADER.unpack_from(block)
    if signature != b"PK\3\4":
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has a bad local header")
    name = block[_HEADER_SIZE : _HEADER_SIZE + name_size]
    if name.decode("utf-8" if info.flag_bits & _UTF8_NAMES else "cp437", "replace") != info.orig_filename:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has another name in its local header")
    start = _HEADER_SIZE + name_size + extra_size
    if info.header_offset + start + info.compress_size > end:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} overlaps another member")
    packed: bytes | memoryview = memoryview(block)[start : start + info.compress_size]
    if len(packed) < info.compress_size:
        packed = read(info.compress_size, info.header_offset + start)
    if len(packed) < info.compress_size:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} is cut off")
    content = bytes(packed) if info.compress_type == zipfile.ZIP_STORED else _inflate(packed, info)
    if len(content) == info.file_size and zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has a bad check sum")
    return content


def ends(infos: list[zipfile.ZipInfo], central_directory: int) -> dict[int, int]:
    """Header offset -> offset where the next member, or the list of members, begins."""
    offsets = sorted({info.header_offset for info in infos})
    return dict(zip(offsets, [*offsets[1:], central_directory], strict=True))


def _inflate(packed: bytes | memoryview, info: zipfile.ZipInfo) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(packed, info.file_size + 1)
    if len(content) == info.file_size and not inflater.eof:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} is cut off")
    return content


def open_nested(file: IO[bytes], info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member that is an archive itself, to be read at any place, without unpacking it to the disk.

    A stored member is as quick as a file. A deflated one costs a run through it for its end; what lies before is then
    reached from marks left on the way, at most a thousandth of the member back.
    """
    parent = read_at(file)
    header = parent(_HEADER_SIZE, info.header_offset)
    if len(header) < _HEADER_SIZE or not header.startswith(b"PK\3\4"):
        raise zipfile.BadZipFile(f"{info.orig_filename!r} has a bad local header")
    _, name_size, extra_size = _HEADER.unpack_from(header)
    start = info.header_offset + _HEADER_SIZE + name_size + extra_size
    kinds = {zipfile.ZIP_STORED: _Stored, zipfile.ZIP_DEFLATED: Inflated}
    if info.compress_type not in kinds:
        raise NotImplementedError("a compression other than deflate")
    return io.BufferedReader(kinds[info.compress_type](parent, start, info), 1 << 18)


class _Nested(io.RawIOBase):
    """A member of a zip as a file that can be read at any place."""

    def __init__(self, parent: ReadAt, start: int, info: zipfile.ZipInfo) -> None:
        self.size = info.file_size
        self._parent = parent
        self._start = start
        self._info = info
        self._place = 0

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to so many bytes from this offset."""
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if place < 0:
            raise ValueError("a place before the start of the file")
        self._place = place
        return place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        content = self.read_at(len(buffer), self._place)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


class _Stored(_Nested):
    """A member that lies in the zip as it is."""

    def read_at(self, size: int, offset: int) -> bytes:
        return self._parent(max(0, min(size, self.size - offset)), self._start + offset)


class Inflated(_Nested):
    """A deflated member; where reading goes back, it starts again from the nearest mark before that place."""

    def __init__(self, parent: ReadAt, start: int, info: zipfile.ZipInfo) -> None:
        super().__init__(parent, start, info)
        self._apart = max(_LEAST_APART, self.size // _MOST_MARKS)
        self._marks = [(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))]
        """Places in the content and in the packed bytes, and the inflater that goes on from there."""
        self._go_to_mark(0)
        self._furthest = self._crc = 0
        self._lock = threading.Lock()

    def read_at(self, size: int, offset: int) -> bytes:
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        with self._lock:
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
        packed = self._parent(
            min(_PIECE, self._info.compress_size - self._packed_place), self._start + self._packed_place
        )
        if not packed or self._inflater.eof:
            raise zipfile.BadZipFile(f"{self._info.orig_filename!r} is cut off")
        self._begin, self._content = end, self._inflater.decompress(packed)
        self._packed_place += len(packed)
        end += len(self._content)
        if end > self.size:
            raise zipfile.BadZipFile(f"{self._info.orig_filename!r} is larger than its archive says")
        if end > self._furthest:
            self._crc = zlib.crc32(self._content[self._furthest - end :], self._crc)
            self._furthest = end
            if end == self.size and self._crc != self._info.CRC:
                raise zipfile.BadZipFile(f"{self._info.orig_filename!r} has a bad check sum")
        if end >= self._marks[-1][0] + self._apart:
            self._marks.append((end, self._packed_place, self._inflater.copy()))
