"""The directory of a 7z archive: which blocks it has, how they are packed, and which files lie in them.

Blocks packed with LZMA, LZMA2 or not at all; no passwords, no volumes, none of the filters that 7-Zip puts before
programs. The layout is that of 7-Zip's own description (7zFormat.txt); everything is little-endian.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from mlebench.errors import DataError

START = struct.Struct("<6sBBIQQI")
"""An archive's first bytes: magic, version, CRC of the rest; then offset from here, size and CRC of the directory."""
MAGIC, VERSION = b"7z\xbc\xaf\x27\x1c", b"\0\4"
LZMA2 = {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 23}
"""How blocks are packed when written: ten times as fast as by default, and a quarter larger."""
_LZMA2_CODE = 22
"""How a header writes a dictionary of 8 MiB."""
MAX_DIRECTORY = 1 << 26
"""Bytes of a directory that are read; each file takes some hundred."""
_MOST_MEMORY = 1 << 29
"""Bytes of dictionary that an archive may ask for."""
_MOST_ENTRIES = 1 << 20
"""Files, or blocks, that a directory may list; Kaggle's largest archive has 65 thousand files."""
_END, _DIRECTORY, _STREAMS, _FILES, _PACKS, _BLOCKS, _SUBSTREAMS = 0, 1, 4, 5, 6, 7, 8
_SIZES, _CRCS, _CODERS, _UNPACKED_SIZES, _COUNTS, _EMPTY, _EMPTY_FILE, _NAMES, _PACKED_DIRECTORY = (
    *(9, 10, 11, 12, 13, 14, 15, 17, 23),
)


@dataclass
class Block:
    """One packed stream (a "folder" in 7-Zip's words)."""

    filter: dict[str, Any]
    """For Python's lzma; empty: the bytes are as they are."""
    size: int
    """Bytes when unpacked."""
    packed: int = 0
    """Bytes in the archive."""
    crc: int | None = None
    files: list[tuple[int, int | None]] = field(default_factory=list)
    """Size and CRC of each file, one after another."""


@dataclass
class Directory:
    """What a directory says."""

    place: int = 0
    """Where the first block begins, counted from behind the archive's first bytes."""
    blocks: list[Block] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """Of the files in the blocks, in order."""
    empty: list[str] = field(default_factory=list)
    """Names of files without any bytes."""
    packed: bool = False
    """The true directory is what the only block holds."""


class DirectoryError(DataError):
    """A directory that is damaged, or uses what is not read here; the message is the fault, without a full stop."""


def parse_start(content: bytes) -> tuple[int, int, int]:
    """Offset, size and CRC of the directory from an archive's first bytes."""
    if len(content) < START.size:
        _refuse("it is too short")
    magic, _, _, own_crc, offset, size, crc = START.unpack(content)
    if magic != MAGIC or zlib.crc32(content[12:]) != own_crc:
        _refuse("it does not begin as one")
    return offset, size, crc


def make_start(size: int, directory: bytes) -> bytes:
    """The first bytes of an archive whose blocks have `size` bytes and are followed by the directory."""
    rest = struct.pack("<QQI", size, len(directory), zlib.crc32(directory))
    return MAGIC + VERSION + struct.pack("<I", zlib.crc32(rest)) + rest


def make_directory(names: Sequence[str], sizes: Sequence[int], crcs: Sequence[int], packed: int) -> bytes:
    """The directory of an archive with one LZMA2 block of `packed` bytes in which all files lie (none is empty)."""
    texts = b"\0" + b"".join(name.encode("utf-16-le") + b"\0\0" for name in names)
    coder: list[int | bytes] = [1, 0x21, b"\x21", _number(1), _LZMA2_CODE]
    all_but_last: list[int | bytes] = [_SIZES, *map(_number, sizes[:-1])] if len(sizes) > 1 else []
    parts: list[int | bytes] = [
        *(_DIRECTORY, _STREAMS, _PACKS, _number(0), _number(1), _SIZES, _number(packed), _END),
        *(_BLOCKS, _CODERS, _number(1), 0, *coder, _UNPACKED_SIZES, _number(sum(sizes)), _END),
        *(_SUBSTREAMS, _COUNTS, _number(len(sizes)), *all_but_last),
        *(_CRCS, 1, struct.pack(f"<{len(crcs)}I", *crcs), _END, _END),
        *(_FILES, _number(len(names)), _NAMES, _number(len(texts)), texts, _END, _END),
    ]
    return b"".join(bytes([part]) if isinstance(part, int) else part for part in parts)


def parse_directory(content: bytes) -> Directory:
    """Read a directory; DirectoryError where it is damaged or beyond what is read here."""
    directory = Directory()
    if not content:
        return directory
    fields = _Fields(content)
    kind = fields.byte()
    if kind == _PACKED_DIRECTORY:
        directory.packed = True
        directory.place, directory.blocks = _streams(fields)
        if len(directory.blocks) != 1:
            _refuse("its directory is packed in pieces")
        return directory
    if kind != _DIRECTORY:
        _refuse("its directory does not begin as one")
    while (kind := fields.byte()) != _END:
        if kind == _STREAMS:
            directory.place, directory.blocks = _streams(fields)
        elif kind == _FILES:
            directory.names, directory.empty = _files(fields)
        else:
            _refuse(f"its directory has the unknown part {kind}")
    if len(directory.names) != sum(len(block.files) for block in directory.blocks):
        _refuse("it names another number of files than it holds")
    return directory


class _Fields:
    """The fields of a directory, in order."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def bytes(self, count: int) -> bytes:
        content = self._content.read(count) if count <= MAX_DIRECTORY else b""
        if len(content) != count:
            _refuse("its directory ends too early")
        return content

    def byte(self) -> int:
        return self.bytes(1)[0]

    def number(self) -> int:
        """Up to 64 bits; the first byte's leading ones count the further bytes, its other bits are the highest."""
        first = self.byte()
        further = 8 - (~first & 0xFF).bit_length()
        return int.from_bytes(self.bytes(further), "little") + ((first & (0x7F >> further)) << (8 * further))

    def count(self) -> int:
        """A number of things that are listed."""
        count = self.number()
        if count > _MOST_ENTRIES:
            _refuse(f"its directory tells of {count:,} entries")
        return count

    def bits(self, count: int) -> list[bool]:
        packed = self.bytes((count + 7) // 8)
        return [bool(packed[i // 8] & (0x80 >> i % 8)) for i in range(count)]

    def crcs(self, count: int) -> list[int | None]:
        defined = [True] * count if self.byte() else self.bits(count)
        return [struct.unpack("<I", self.bytes(4))[0] if one else None for one in defined]

    def here(self) -> None:
        """A part may be described elsewhere, which no known writer does."""
        if self.byte():
            _refuse("its directory is in pieces")


def _number(value: int) -> bytes:
    """The inverse of `_Fields.number`."""
    for further in range(8):
        if value < 1 << (7 * (further + 1)):
            first = (0xFF00 >> further) & 0xFF | value >> (8 * further)
            return bytes([first]) + (value & ((1 << (8 * further)) - 1)).to_bytes(further, "little")
    return b"\xff" + value.to_bytes(8, "little")


def _streams(fields: _Fields) -> tuple[int, list[Block]]:
    """Where the first block begins, and the blocks."""
    place, packed, blocks = 0, list[int](), list[Block]()
    while (kind := fields.byte()) != _END:
        if kind == _PACKS:
            place, count = fields.number(), fields.count()
            while (part := fields.byte()) != _END:
                if part == _SIZES:
                    packed = [fields.number() for _ in range(count)]
                elif part == _CRCS:
                    fields.crcs(count)
                else:
                    _refuse(f"its directory has the unknown part {part}")
        elif kind == _BLOCKS:
            blocks = _blocks(fields)
        elif kind == _SUBSTREAMS:
            _substreams(fields, blocks)
        else:
            _refuse(f"its directory has the unknown part {kind}")
    if len(packed) != len(blocks):
        _refuse("a block of it is packed in pieces")
    for block, size in zip(blocks, packed, strict=True):
        block.packed = size
    return place, blocks


def _blocks(fields: _Fields) -> list[Block]:
    if fields.byte() != _CODERS:
        _refuse("its blocks are not described")
    count = fields.count()
    fields.here()
    filters = [_filter(fields) for _ in range(count)]
    if fields.byte() != _UNPACKED_SIZES:
        _refuse("the sizes of its blocks are missing")
    blocks = [Block(filter_, fields.number()) for filter_ in filters]
    while (kind := fields.byte()) != _END:
        if kind != _CRCS:
            _refuse(f"its directory has the unknown part {kind}")
        for block, crc in zip(blocks, fields.crcs(count), strict=True):
            block.crc = crc
    for block in blocks:
        block.files = [(block.size, block.crc)]
    return blocks


def _filter(fields: _Fields) -> dict[str, Any]:
    coders, flags = fields.number(), fields.byte()
    if coders != 1 or flags & 0xD0:
        _refuse("its blocks are packed in several steps")
    name = fields.bytes(flags & 0x0F)
    properties = fields.bytes(fields.number()) if flags & 0x20 else b""
    memory, filter_ = 0, dict[str, Any]()
    if name == b"\x21" and len(properties) == 1 and properties[0] < 40:
        memory = (2 | properties[0] & 1) << (properties[0] // 2 + 11)
        filter_ = {"id": lzma.FILTER_LZMA2, "dict_size": memory}
    elif name == b"\x03\x01\x01" and len(properties) == 5 and properties[0] < 225:
        rest, lc = divmod(properties[0], 9)
        pb, lp = divmod(rest, 5)
        (memory,) = struct.unpack("<I", properties[1:])
        filter_ = {"id": lzma.FILTER_LZMA1, "dict_size": max(memory, 4096), "lc": lc, "lp": lp, "pb": pb}
    elif name != b"\0":
        _refuse(f"it is packed in the way {name.hex() or 'without a name'}, which is not read here")
    if memory > _MOST_MEMORY:
        _refuse(f"it takes {memory:,} bytes of memory to unpack")
    return filter_


def _substreams(fields: _Fields, blocks: list[Block]) -> None:
    """Which files lie in which block."""
    counts = [1] * len(blocks)
    kind = fields.byte()
    if kind == _COUNTS:
        counts = [fields.number() for _ in blocks]
        if sum(counts) > _MOST_ENTRIES:
            _refuse(f"its directory tells of {sum(counts):,} files")
        kind = fields.byte()
    told = kind == _SIZES
    for block, count in zip(blocks, counts, strict=True):
        if count > 1 and not told:
            _refuse("the sizes of its files are missing")
        sizes = [fields.number() for _ in range(count - 1)]
        if sum(sizes) > block.size:
            _refuse("its files are larger than the block in which they lie")
        known = block.crc if count == 1 else None
        block.files = [(size, known) for size in [*sizes, block.size - sum(sizes)][:count]]
    kind = fields.byte() if told else kind
    while kind != _END:
        if kind != _CRCS:
            _refuse(f"its directory has the unknown part {kind}")
        unknown = [block for block in blocks if [crc for _, crc in block.files] != [block.crc] or block.crc is None]
        crcs = iter(fields.crcs(sum(len(block.files) for block in unknown)))
        for block in unknown:
            block.files = [(size, next(crcs)) for size, _ in block.files]
        kind = fields.byte()


def _files(fields: _Fields) -> tuple[list[str], list[str]]:
    """Names of the files in the blocks, and of the empty ones; folders are left out."""
    count = fields.count()
    names, empty, empty_file = list[str](), list[bool](), list[bool]()
    while (kind := fields.byte()) != _END:
        own = _Fields(content := fields.bytes(fields.number()))
        if kind == _NAMES:
            own.here()
            text = content[1:].decode("utf-16-le", errors="replace")
            if text.count("\0") != count:
                _refuse("it names another number of files than it holds")
            names = text.split("\0")[:-1]
        elif kind == _EMPTY:
            empty = own.bits(count)
        elif kind == _EMPTY_FILE:
            empty_file = own.bits(sum(empty))
    if len(names) != count:
        _refuse("it names another number of files than it holds")
    without = [name for name, one in zip(names, empty, strict=True) if one] if empty else []
    held = [name for name, one in zip(names, empty, strict=True) if not one] if empty else names
    return held, [name for name, one in zip(without, empty_file, strict=True) if one] if empty_file else []


def _refuse(fault: str) -> NoReturn:
    raise DirectoryError(fault)
