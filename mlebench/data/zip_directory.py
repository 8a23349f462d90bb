"""Opening a zip: its list of members is believed only where it agrees with itself.

zipfile reads the list until its bytes are used up and asks no further. Where a damaged length makes one record swallow
the next ones it gives fewer members without a word, so what it found is compared with what the end of the zip says.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import IO

from mlebench.data.archive_rules import check_total, expansion_limit, parsing

_RECORD = struct.Struct("<4s24x3H12x")
"""A member's record: signature; sizes of its name, extra fields and comment, which follow."""
_END = struct.Struct("<4s6xHI6x")
"""The end of a zip: signature, number of members, size of the list; a comment may follow."""
_END_64 = struct.Struct("<4s28xQQ8x")
"""The same for large zips; it and a locator stand before the plain end."""
_LOCATOR_SIZE = 20
_LEAST_HEADER = 30
"""Bytes of a member's own header, beside its name and extra fields."""
_LONGEST_COMMENT = 1 << 16
_UTF8_NAMES = 0x0800


class ListedZip(zipfile.ZipFile):
    """A zip, opened for reading, whose list of members is whole; zipfile.BadZipFile where it is not.

    DataError where the members come to more than the zip may unpack to; errors call it `archive`.
    """

    def __init__(self, archive: str, file: IO[bytes]) -> None:
        with parsing():
            super().__init__(file)
            infos = self.infolist()
            _check_list(file, infos, self.start_dir)
        self.ends = _ends(infos, self.start_dir)
        """Offset of a member -> offset where the next one, or the list of members, begins."""
        size = file.seek(0, io.SEEK_END)
        check_total(archive, sum(info.file_size for info in infos), expansion_limit(size))


def _ends(infos: list[zipfile.ZipInfo], start: int) -> dict[int, int]:
    offsets = sorted(info.header_offset for info in infos)
    ends = dict(zip(offsets, [*offsets, start][1:], strict=True))
    if offsets and offsets[0] < 0:
        raise zipfile.BadZipFile("a member lies outside the file")
    if len(ends) < len(infos):
        raise zipfile.BadZipFile("two of its members lie at the same place")
    for info in infos:
        # A header may be longer than that, so who reads a member looks again.
        least = info.header_offset + _LEAST_HEADER + len(info.orig_filename) + info.compress_size
        if least > ends[info.header_offset]:
            raise zipfile.BadZipFile(f"{info.orig_filename!r} overlaps another member")
    return ends


def _check_list(file: IO[bytes], infos: list[zipfile.ZipInfo], start: int) -> None:
    count, modulus, size = _told(file)
    if len(infos) % modulus != count:
        raise zipfile.BadZipFile(f"it lists {len(infos):,} members where {count:,} should be")
    if not infos:
        return
    # Only the last one can have been cut off by the end of the list.
    last = infos[-1]
    name = last.orig_filename.encode("utf-8" if last.flag_bits & _UTF8_NAMES else "cp437")
    found = (len(name), len(last.extra), len(last.comment))
    file.seek(start + size - _RECORD.size - sum(found))
    if _RECORD.unpack(file.read(_RECORD.size)) != (b"PK\1\2", *found):
        raise zipfile.BadZipFile("its list of members is cut off")
    for info in infos:
        if not info.filename or "\0" in info.orig_filename:
            raise zipfile.BadZipFile("a member without a name, or with a damaged one")


def _told(file: IO[bytes]) -> tuple[int, int, int]:
    """What the end of a zip, where zipfile finds it, says: members, what they are counted modulo, size of the list."""
    size = file.seek(0, io.SEEK_END)
    file.seek(size - _END.size)
    tail = file.read()
    if not (tail.startswith(b"PK\5\6") and tail.endswith(b"\0\0")):  # there is a comment
        file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
        tail = file.read()
        tail = tail[tail.rfind(b"PK\5\6") :]
    before_size = _END_64.size + _LOCATOR_SIZE
    if (place := size - len(tail) - before_size) >= 0:
        file.seek(place)
        before = file.read(before_size)
        if before.startswith(b"PK\6\6") and before.startswith(b"PK\6\7", _END_64.size):
            _, count, list_size = _END_64.unpack_from(before)
            return count, 1 << 64, list_size
    _, count, list_size = _END.unpack_from(tail)
    return count, 1 << 16, list_size  # some writers let the 16 bits run over
