"""7z archives, as far as Kaggle's downloads need them: hostile when read, reproducible when written."""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlebench.data.archive_rules import check_wanted, expansion_limit, safe_member
from mlebench.data.raw_files import open_raw
from mlebench.errors import DataError
from mlebench.formats.sevenzip import (
    LZMA2,
    MAX_DIRECTORY,
    START,
    Block,
    Directory,
    DirectoryError,
    make_directory,
    make_start,
    parse_directory,
    parse_start,
)

_CHUNK = 1 << 20
_File = tuple[str, int, int | None]
"""Name, size and check sum."""
_Placed = tuple[int, Block, list[_File]]
_DEEPEST = 4
"""A directory may be packed, and that packed again; more often is a bomb."""


def extract_7z(archive: Path, folder: Path, *, members: Collection[str] | None = None) -> int:
    """Extract a 7z's files below `folder` (all, or the named members); return how many.

    Path escapes, damage, named members that are not there, and archives that blow up beyond what their size allows are
    DataErrors. Blocks without a wanted file are not unpacked.
    """
    wanted = None if members is None else set(members)
    count = 0
    try:
        with _blocks(archive) as (source, directory, placed):
            check_wanted(str(archive), wanted or (), [*directory.names, *directory.empty])
            for place, block, own in placed:
                if wanted is None or not wanted.isdisjoint(name for name, _, _ in own):
                    count += _extract_block(_Unpacked(source, place, block), own, folder, wanted)
            for name in directory.empty:
                if wanted is None or name in wanted:
                    _open(folder, name).close()
                    count += 1
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise DataError(f"{archive.name} holds a file twice, or {error.filename} is there already.") from None
    return count


def stream_7z(archive: Path, member: str) -> Iterator[bytes]:
    """The content of one file of a 7z, piece by piece and no further than it is asked for; nothing is written.

    The rules of `extract_7z` hold; the check sum is compared at the end.
    """
    with _blocks(archive) as (source, _, placed):
        for place, block, own in placed:
            if all(name != member for name, _, _ in own):
                continue
            content = _Unpacked(source, place, block)
            for name, size, crc in own:
                if name == member:
                    yield from content.pieces(size, crc)
                    return
                content.copy(size, crc, None)
    raise DataError(f"{archive} holds no {member!r}; fetch it again.")


@contextmanager
def _blocks(archive: Path) -> Iterator[tuple[IO[bytes], Directory, list[_Placed]]]:
    """An opened 7z: its directory, and its blocks of files with their places. Damage is told while it is open."""
    try:
        with open_raw(archive) as source:
            size = source.seek(0, io.SEEK_END)
            limit = expansion_limit(size)
            source.seek(0)
            directory = _read_directory(source, size)
            if sum(block.size for block in directory.blocks) > limit:
                raise DataError(f"{archive.name} unpacks to more than {limit:,} bytes; it looks like a bomb.")
            place, names = START.size + directory.place, iter(directory.names)
            placed = []
            for block in directory.blocks:
                _check_place(place, block, size)
                placed.append((place, block, [(next(names), *told) for told in block.files]))
                place += block.packed
            yield source, directory, placed
    except FileNotFoundError:
        raise DataError(f"The raw archive {archive} is missing; fetch the raw data again.") from None
    except (DirectoryError, lzma.LZMAError, EOFError) as error:
        raise DataError(f"{archive} is no readable 7z archive ({error}); fetch it again.") from None


def write_7z(archive: Path, members: Iterable[tuple[str, Path | bytes]]) -> int:
    """Write (member name, file or bytes) pairs, in the order given, as one LZMA2 block without dates; return how many.

    Reproducible as far as Python's LZMA library stays the same. Empty files are left out.
    """
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[LZMA2])
    archive.parent.mkdir(parents=True, exist_ok=True)
    names, sizes, crcs = list[str](), list[int](), list[int]()
    with archive.open("xb") as out:
        out.write(bytes(START.size))
        for name, content in members:
            size = crc = 0
            for chunk in _chunks(content):
                size, crc = size + len(chunk), zlib.crc32(chunk, crc)
                out.write(packer.compress(chunk))
            if size:
                names.append(name)
                sizes.append(size)
                crcs.append(crc)
        if not names:
            raise DataError(f"There is nothing to write into {archive}.")
        out.write(packer.flush())
        packed = out.tell() - START.size
        directory = make_directory(names, sizes, crcs, packed)
        out.write(directory)
        out.seek(0)
        out.write(make_start(packed, directory))
    return len(names)


class _Unpacked:
    """The unpacked bytes of a block, in order."""

    def __init__(self, source: IO[bytes], place: int, block: Block) -> None:
        source.seek(place)
        self._source = source
        self._packed = block.packed
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[block.filter]) if block.filter else None

    def read(self, most: int) -> bytes:
        """Up to `most` bytes, at least one; an EOFError when there are none."""
        while self._unpacker is not None and not self._unpacker.eof:
            given = self._more(_CHUNK) if self._unpacker.needs_input else b""
            if content := self._unpacker.decompress(given, most):
                return content
            if not given and not self._packed:
                break
        if self._unpacker is None and (content := self._more(most)):
            return content
        raise EOFError("a block ends too early")

    def pieces(self, size: int, crc: int | None) -> Iterator[bytes]:
        """Exactly `size` bytes; then their check sum is compared."""
        found = 0
        while size:
            content = self.read(min(size, _CHUNK))
            size -= len(content)
            found = zlib.crc32(content, found)
            yield content
        if crc is not None and found != crc:
            raise EOFError("a check sum is wrong")

    def copy(self, size: int, crc: int | None, out: IO[bytes] | None) -> None:
        """Copy exactly `size` bytes, or pass them over, and compare their check sum."""
        for content in self.pieces(size, crc):
            if out is not None:
                out.write(content)

    def _more(self, most: int) -> bytes:
        content = self._source.read(min(most, self._packed))
        self._packed -= len(content) or self._packed
        return content


def _extract_block(content: _Unpacked, files: list[_File], folder: Path, wanted: set[str] | None) -> int:
    count = 0
    for name, size, crc in files:
        if wanted is not None and name not in wanted:
            content.copy(size, crc, None)
            continue
        with _open(folder, name) as out:
            content.copy(size, crc, out)
        count += 1
    return count


def _open(folder: Path, name: str) -> IO[bytes]:
    target = folder / safe_member(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("xb")


def _check_place(place: int, block: Block, size: int) -> None:
    if place + block.packed > size:
        raise EOFError("it is cut off")


def _read_directory(source: IO[bytes], size: int) -> Directory:
    crc: int | None
    offset, length, crc = parse_start(source.read(START.size))
    content, place = Block({}, length, length), START.size + offset
    for _ in range(_DEEPEST):
        if content.size > MAX_DIRECTORY:
            break
        _check_place(place, content, size)
        unpacked = _Unpacked(source, place, content)
        text = bytearray()
        while len(text) < content.size:
            text += unpacked.read(content.size - len(text))
        if crc is not None and zlib.crc32(text) != crc:
            raise EOFError("the check sum of its directory is wrong")
        directory = parse_directory(bytes(text))
        if not directory.packed:
            return directory
        (content,) = directory.blocks
        place, crc = START.size + directory.place, content.crc
    raise DirectoryError("its directory looks like a bomb")


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk
