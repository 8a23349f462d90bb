"""What an archive may hold: no path escapes, no links, no encryption, no bombs; and how damage is told."""

from __future__ import annotations

import errno
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from mlebench.errors import DataError
from mlebench.pathnames import is_text

MAX_RATIO = 2000
"""A member may be at most this many times larger than its compressed form (text of one letter reaches ~1000)."""
ALLOWED_EXPANSION = 64 * 2**20
"""Members up to this size are never taken for a bomb, whatever their ratio."""
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What readers of damaged archives raise; bz2 and gzip also raise an OSError without a number."""
_ODD_NAME = re.compile(r"[\\:\0]|^\.*$")
"""The last part of a member's name that `safe_member` has to look at."""
READ_HERE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How members of a zip may be packed; Kaggle uses no other way."""


def safe_member(name: str) -> PurePosixPath:
    """The member's relative path; a DataError when it would leave the folder, or no manifest could hold its name."""
    path = inner_path(name)
    if not is_text(name):
        raise DataError(f"The archive member {name!r} has a name that is not UTF-8; do not use this archive.")
    return path


def inner_path(name: str) -> PurePosixPath:
    """The member's relative path, whatever bytes it is named with; a DataError when it would leave the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and ":" in path.parts[0]):
        raise DataError(f"The archive member {name!r} points outside its archive; do not use this archive.")
    return path


def safe_names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """The relative path of each member, as `safe_member` gives it, of hundreds of thousands of them."""
    folders: dict[str, str] = {}
    names = []
    for info in infos:
        parent, _, name = info.filename.rpartition("/")
        if _ODD_NAME.search(name) or info.filename.startswith("/"):
            names.append(safe_member(info.filename).as_posix())
            continue
        if parent not in folders:
            folder = safe_member(info.filename).parent.as_posix()
            folders[parent] = "" if folder == "." else folder
        # Mostly the very same text, which then need not be held twice.
        same = folders[parent] == parent
        names.append(info.filename if same else f"{folders[parent]}/{name}".removeprefix("/"))
    return names


def check_filled(archive: str, files: Collection[object]) -> None:
    """Raise a DataError where an archive holds no files at all."""
    if not files:
        raise DataError(f"The archive {archive} is empty; fetch it again.")


def check_wanted(archive: str, wanted: Iterable[str], names: Iterable[str]) -> None:
    """Raise a DataError unless all the wanted files are among those that an archive holds."""
    absent = sorted(set(wanted).difference(names))
    if absent:
        first = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        raise DataError(f"{archive} lacks {len(absent):,} of the files that are needed ({first}); fetch it again.")


def check_members(archive: str, infos: list[zipfile.ZipInfo]) -> None:
    """Raise a DataError unless each of these members of a zip may be unpacked."""
    for info in infos:
        check_zip_member(archive, info)


def check_zip_member(archive: str, info: zipfile.ZipInfo) -> None:
    """Raise a DataError unless the member is a plain file that unpacks to a credible size."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DataError(f"{archive} holds {info.filename!r}, which is no regular file; do not use it.")
    if info.flag_bits & 0x1:
        raise DataError(f"{archive} holds the encrypted member {info.filename!r}; it cannot be read.")
    if info.compress_type not in READ_HERE:
        # zipfile lets bzip2 and lzma unpack a megabyte at a time to whatever it becomes, which may be gigabytes.
        raise DataError(
            f"{archive} holds {info.filename!r}, packed in a way that is not read here (method {info.compress_type}); "
            "pack it anew with deflate, as Kaggle does."
        )
    if info.file_size > max(ALLOWED_EXPANSION, info.compress_size * MAX_RATIO):
        raise DataError(f"{archive}:{info.filename} would unpack to {info.file_size:,} bytes; it looks like a bomb.")


def expansion_limit(size: int) -> int:
    """Bytes that an archive of this size may unpack to in all."""
    return max(ALLOWED_EXPANSION, size * MAX_RATIO)


def check_total(archive: str, total: int, limit: int) -> None:
    """Raise a DataError when the members of an archive come to more than it may unpack to."""
    if total > limit:
        raise DataError(f"{archive} unpacks to more than {limit:,} bytes; it looks like a bomb.")


def check_size(difference: int, name: str) -> None:
    """Raise a DataError when a member is not as large as its archive says."""
    if difference:
        raise DataError(f"{name} is not as large as its archive says; do not use this archive.")


def copy_bounded(
    source: IO[bytes], out: IO[bytes], size: int, name: str, seen: Callable[[bytes], object] | None = None
) -> None:
    """Copy exactly `size` bytes, shown to `seen`: an archive that lies about a member's size ends here."""
    left = size
    while chunk := source.read(1 << 20):
        left -= len(chunk)
        if left < 0:
            break
        out.write(chunk)
        if seen is not None:
            seen(chunk)
    check_size(left, name)
    out.flush()


def new_file(archive: str, name: str, target: str) -> IO[bytes]:
    """Open a member's place for writing, which must be free."""
    try:
        return open(target, "xb")  # noqa: PTH123  (a hundred thousand paths; the caller closes it)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        raise DataError(f"{archive} holds {name!r} more than once, or {target} is there already.") from None


@contextmanager
def damage_told(archive: Path, kind: str) -> Iterator[None]:
    """Turn what readers raise on a missing or damaged archive into a DataError that says so."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename is None or Path(error.filename) != archive:
            raise
        raise DataError(f"The raw archive {archive} is missing; fetch the raw data again.") from None
    except DAMAGE as error:
        raise DataError(f"{archive} is no readable {kind} archive ({error}); fetch it again.") from None
    except OSError as error:
        if error.errno is not None:  # the disk's complaint, not a decompressor's
            raise
        raise DataError(f"{archive} is no readable {kind} archive ({error}); fetch it again.") from None


@contextmanager
def parsing() -> Iterator[None]:
    """Around zipfile's reading of names and offsets, where damage shows in more ways than a BadZipFile."""
    try:
        yield
    except (ValueError, IndexError, OverflowError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the start of the file
            raise
        raise zipfile.BadZipFile("a member lies outside the file") from None
