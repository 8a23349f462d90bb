"""Reading the members of a zip faster than zipfile does, by several threads.

zipfile opens a member in some 60 microseconds of Python, most of the time that an archive of small files takes. What
is here reads header and content at once, for plain members that are small enough to be held in memory; it compares
what zipfile compares (names, overlaps, sizes, check sums) and complains as zipfile does.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import IO

from mlebench.data.archive_rules import check_size, check_zip_member, copy_bounded, new_file, parsing
from mlebench.data.nested import Inflated, ReadAt, content_of
from mlebench.data.parallel import in_parallel
from mlebench.data.zip_directory import ListedZip

MAX_IN_MEMORY = 8 << 20
"""Larger members are streamed."""
_HEADER = struct.Struct("<4s22xHH")
_HEADER_SIZE = 30
_SPARE = 64
"""Room for the extra fields of a local header, so that one read is enough."""
_HARMLESS_FLAGS = 0x0002 | 0x0004 | 0x0008 | 0x0800
"""Deflate's effort, sizes after the content, names in UTF-8."""
_UTF8_NAMES = 0x0800
Written = Callable[[IO[bytes], str], None]
"""Is told of a file that was written, still open, and the sha256 of its content."""


def read_at(file: IO[bytes]) -> ReadAt:
    """How to read a file, or a member that is open, at any place, for as long as one holds on to the answer."""
    content = content_of(file)
    if content is not None:
        return content.read_at
    return lambda size, offset: os.pread(file.fileno(), size, offset)


def extract(
    archive: str,
    file: IO[bytes],
    opened: ListedZip,
    tasks: Sequence[tuple[zipfile.ZipInfo, str]],
    *,
    workers: int = 0,
    written: Written | None = None,
) -> None:
    """Write members of the zip `opened` from `file` to their places, which must be free; the folders are there.

    `workers` threads share the work (0: one for each processor). `archive` is the name that errors give it.
    """
    read = read_at(file)
    if isinstance(content_of(file), Inflated):
        workers = 1  # threads would drag each other to and fro
    counting = threading.Lock()  # ZipFile counts its open members without a lock of its own

    def one(task: tuple[zipfile.ZipInfo, str]) -> None:
        info, target = task
        name = f"{archive}:{info.filename}"
        with new_file(archive, info.filename, target) as out:
            if is_plain(info):
                content = read_plain(read, info, opened.ends[info.header_offset])
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
    """Whether `read_plain` may read this member, which `check_zip_member` let pass."""
    return (
        not info.flag_bits & ~_HARMLESS_FLAGS
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


def _inflate(packed: bytes | memoryview, info: zipfile.ZipInfo) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(packed, info.file_size + 1)
    if len(content) == info.file_size and not inflater.eof:
        raise zipfile.BadZipFile(f"{info.orig_filename!r} is cut off")
    return content
