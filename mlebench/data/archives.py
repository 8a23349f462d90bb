"""Archives: hostile when read (no escapes, no links out, no bombs), reproducible when written."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from mlebench.errors import DataError

MAX_RATIO = 2000
"""A member may be at most this many times larger than its compressed form (text of one letter reaches ~1000)."""
ALLOWED_EXPANSION = 64 * 2**20
"""Members up to this size are never taken for a bomb, whatever their ratio."""
FIXED_DATE = (2000, 1, 1, 0, 0, 0)
"""Time stamp of every member that is written, so that the same input gives the same bytes."""


def safe_member(name: str) -> PurePosixPath:
    """The member's relative path; a DataError when it would leave the folder it is extracted to."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and ":" in path.parts[0]):
        raise DataError(f"The archive member {name!r} points outside its archive; do not use this archive.")
    return path


def extract_zip(archive: Path, folder: Path, *, members: Iterable[str] | None = None) -> int:
    """Extract a zip's regular files below `folder` (all, or the named members); return how many.

    Path escapes, symlinks, encrypted members and members that blow up beyond what their size allows are errors.
    """
    count = 0
    with open_zip(archive) as opened:
        wanted = None if members is None else set(members)
        for info in opened.infolist():
            if info.is_dir() or (wanted is not None and info.filename not in wanted):
                continue
            _check_zip_member(archive, info)
            target = folder / safe_member(info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(info) as source, target.open("xb") as out:
                _copy_bounded(source, out, info.file_size, f"{archive.name}:{info.filename}")
            count += 1
    return count


def extract_tar(archive: Path, folder: Path) -> int:
    """Extract a tar's (gz, bz2, xz or plain) regular files below `folder`; links and devices are errors."""
    count = 0
    limit = max(ALLOWED_EXPANSION, archive.stat().st_size * MAX_RATIO)
    total = 0
    try:
        with tarfile.open(archive, "r|*") as opened:
            for info in opened:
                if info.isdir():
                    continue
                if not info.isreg():
                    raise DataError(f"{archive.name} holds {info.name!r}, which is no regular file; do not use it.")
                total += info.size
                if total > limit:
                    raise DataError(f"{archive.name} unpacks to more than {limit:,} bytes; it looks like a bomb.")
                source = opened.extractfile(info)
                assert source is not None
                target = folder / safe_member(info.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as out:
                    _copy_bounded(source, out, info.size, f"{archive.name}:{info.name}")
                count += 1
    except tarfile.TarError as error:
        raise DataError(f"{archive} is no readable tar archive ({error}); fetch it again.") from None
    return count


@contextmanager
def open_zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip for reading; a missing or broken one is a DataError that says so."""
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except FileNotFoundError:
        raise DataError(f"The raw archive {archive} is missing; fetch the raw data again.") from None
    except zipfile.BadZipFile as error:
        raise DataError(f"{archive} is no readable zip archive ({error}); fetch it again.") from None


@contextmanager
def open_member(archive: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Stream one member of a zip; without a name the only file in it."""
    with open_zip(archive) as opened:
        names = [info.filename for info in opened.infolist() if not info.is_dir()]
        if member is None:
            if len(names) != 1:
                raise DataError(f"{archive} should hold exactly one file but holds {len(names)}; fetch it again.")
            member = names[0]
        elif member not in names:
            raise DataError(f"{archive} holds no {member!r}; fetch it again.")
        with opened.open(member) as stream:
            yield stream


def read_members(archive: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the named files of a zip, in the order asked for, without writing anything.

    For many small files that go to other names or into another archive. The rules of `extract_zip` hold.
    """
    with open_zip(archive) as opened:
        for name in names:
            try:
                info = opened.getinfo(name)
            except KeyError:
                raise DataError(f"{archive} holds no {name!r}; fetch it again.") from None
            _check_zip_member(archive, info)
            content = io.BytesIO()
            with opened.open(info) as source:
                _copy_bounded(source, content, info.file_size, f"{archive.name}:{name}")
            yield name, content.getvalue()


def write_zip(
    archive: Path, members: Iterable[tuple[str, Path | bytes]], *, compression: int = zipfile.ZIP_DEFLATED
) -> int:
    """Write (member name, file or bytes) pairs, in the order given, with fixed dates; return how many."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with zipfile.ZipFile(archive, "x", compression) as out:
        for name, content in members:
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.compress_type = compression
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            if isinstance(content, bytes):
                out.writestr(info, content)
            else:
                info.file_size = content.stat().st_size
                with content.open("rb") as source, out.open(info, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            count += 1
    return count


def zip_folder(folder: Path, archive: Path, *, prefix: str = "") -> int:
    """Zip every file below `folder`, sorted by name, as `prefix` + relative path; return how many."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return write_zip(archive, ((prefix + path.relative_to(folder).as_posix(), path) for path in files))


def _check_zip_member(archive: Path, info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DataError(f"{archive.name} holds {info.filename!r}, which is no regular file; do not use it.")
    if info.flag_bits & 0x1:
        raise DataError(f"{archive.name} holds the encrypted member {info.filename!r}; it cannot be read.")
    if info.file_size > max(ALLOWED_EXPANSION, info.compress_size * MAX_RATIO):
        raise DataError(
            f"{archive.name}:{info.filename} would unpack to {info.file_size:,} bytes; it looks like a bomb."
        )


def _copy_bounded(source: IO[bytes], out: IO[bytes], size: int, name: str) -> None:
    """Copy at most `size` bytes: an archive that lies about a member's size ends here."""
    left = size
    while chunk := source.read(1 << 20):
        left -= len(chunk)
        if left < 0:
            raise DataError(f"{name} is larger than its archive says; do not use this archive.")
        out.write(chunk)
    out.flush()


def free_bytes(folder: Path) -> int:
    """Bytes free for this user on the file system that holds `folder` (or its nearest existing parent)."""
    while not folder.exists():
        folder = folder.parent
    values = os.statvfs(folder)
    return values.f_bavail * values.f_frsize
