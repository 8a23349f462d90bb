"""Archives: hostile when read (no escapes, no links out, no bombs), reproducible when written."""

from __future__ import annotations

import bz2
import calendar
import errno
import gzip
import io
import lzma
import re
import shutil
import stat
import struct
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mlebench.data import zip_members
from mlebench.data.parallel import in_parallel
from mlebench.errors import DataError

MAX_RATIO = 2000
"""A member may be at most this many times larger than its compressed form (text of one letter reaches ~1000)."""
ALLOWED_EXPANSION = 64 * 2**20
"""Members up to this size are never taken for a bomb, whatever their ratio."""
FIXED_DATE = (2000, 1, 1, 0, 0, 0)
"""Time stamp of every member that is written, so that the same input gives the same bytes."""
_ODD_NAME = re.compile(r"[\\:\0]|^\.*$")
"""The last part of a member's name that `safe_member` has to look at."""
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
"""What readers of damaged archives raise; bz2 and gzip also raise an OSError without a number."""
_TAR_STREAMS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""First bytes of a compressed tar -> what opens it. They compare check sums, which tarfile's own streams do not."""


def safe_member(name: str) -> PurePosixPath:
    """The member's relative path; a DataError when it would leave the folder it is extracted to."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and ":" in path.parts[0]):
        raise DataError(f"The archive member {name!r} points outside its archive; do not use this archive.")
    return path


def extract_zip(archive: Path, folder: Path, *, members: Iterable[str] | None = None, workers: int = 0) -> int:
    """Extract a zip's regular files below `folder` (all, or the named members); return how many.

    Path escapes, symlinks, encrypted members and members that blow up beyond what their size allows are errors,
    raised before anything is written. `workers` threads share the work (0: one for each processor).
    """
    wanted = None if members is None else set(members)
    with open_zip(archive) as opened, archive.open("rb") as file:
        limits = zip_members.ends(opened.infolist(), opened.start_dir)
        chosen = [
            info for info in opened.infolist() if not info.is_dir() and (wanted is None or info.filename in wanted)
        ]

        counting = threading.Lock()  # ZipFile counts its open members without a lock of its own

        def extract(task: tuple[zipfile.ZipInfo, str]) -> None:
            info, target = task
            name = f"{archive.name}:{info.filename}"
            with _new_file(archive, info.filename, target) as out:
                if zip_members.is_plain(info):
                    content = zip_members.read_plain(file.fileno(), info, limits[info.header_offset])
                    _check_size(len(content) - info.file_size, name)
                    out.write(content)
                    return
                with counting:
                    source = _open_info(archive, opened, info)
                try:
                    _copy_bounded(source, out, info.file_size, name)
                finally:
                    with counting:
                        source.close()

        in_parallel(extract, list(zip(chosen, _targets(archive, chosen, folder), strict=True)), workers)
    return len(chosen)


def _targets(archive: Path, chosen: list[zipfile.ZipInfo], folder: Path) -> list[str]:
    """Where each member goes, after every check that needs none of its content; the folders are made."""
    total, limit = 0, _expansion_limit(archive)
    folders: dict[str, str] = {}
    targets = []
    for info in chosen:
        _check_zip_member(archive, info)
        total += info.file_size
        _check_total(archive, total, limit)
        parent, _, name = info.filename.rpartition("/")
        if _ODD_NAME.search(name) or info.filename.startswith("/"):
            target = folder / safe_member(info.filename)
            folders[str(target.parent)] = str(target.parent)
            targets.append(str(target))
            continue
        if parent not in folders:
            folders[parent] = str(folder / safe_member(info.filename).parent)
        targets.append(f"{folders[parent]}/{name}")
    for made in sorted(set(folders.values())):
        try:
            Path(made).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise DataError(f"{archive.name} needs the folder {made}, where a file is already.") from None
    return targets


def extract_tar(archive: Path, folder: Path) -> int:
    """Extract a tar's (gz, bz2, xz or plain) regular files below `folder`; links and devices are errors."""
    count = 0
    with _damage_told(archive, "tar"):
        for info, source in _tar_files(archive):
            _write_member(archive, info.name, source, info.size, folder)
            count += 1
    return count


def read_tar(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of a tar's regular files, in its order, without writing anything.

    For archives of many small files; names have no `./` before them. The rules of `extract_tar` hold.
    """
    with _damage_told(archive, "tar"):
        for info, source in _tar_files(archive):
            content = io.BytesIO()
            _copy_bounded(source, content, info.size, f"{archive.name}:{info.name}")
            yield safe_member(info.name).as_posix(), content.getvalue()


def visit_files(archive: Path, visit: Callable[[str, int, IO[bytes]], bool]) -> None:
    """Call `visit(name, size, content)` for each regular file of a zip or tar, in its order, until it returns false.

    Nothing is written. `visit` may leave content unread; what it raises comes through. Names have no `./` before them;
    the rules of `extract_zip` and `extract_tar` hold, and damage shows as a DataError when it is come upon.
    """
    with archive.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if not zipped:
        with _damage_told(archive, "tar"):
            for info, source in _tar_files(archive):
                if not visit(safe_member(info.name).as_posix(), info.size, source):
                    return
        return
    total, limit = 0, _expansion_limit(archive)
    with open_zip(archive) as opened:
        for member in opened.infolist():
            if member.is_dir():
                continue
            total += member.file_size
            _check_total(archive, total, limit)
            with _open_info(archive, opened, member) as content:
                if not visit(safe_member(member.filename).as_posix(), member.file_size, content):
                    return


def tar_names(archive: Path) -> list[str]:
    """Names of a tar's regular files, in its order, without `./` before them; the whole archive is checked."""
    with _damage_told(archive, "tar"):
        return [safe_member(info.name).as_posix() for info, _ in _tar_files(archive)]


def _tar_files(archive: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """A tar's regular files, each to be read before the next one; the whole archive is checked on the way."""
    total = 0
    with _tar_stream(archive) as stream:
        limit = _expansion_limit(archive)
        with tarfile.open(fileobj=stream, mode="r|") as opened:
            for info in opened:
                if info.isdir():
                    continue
                if not info.isreg():
                    raise DataError(f"{archive.name} holds {info.name!r}, which is no regular file; do not use it.")
                total += info.size
                _check_total(archive, total, limit)
                source = opened.extractfile(info)
                assert source is not None
                yield info, source
        while chunk := stream.read(1 << 20):  # to the end, where the check sum is
            total += len(chunk)
            _check_total(archive, total, limit)


def _tar_stream(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        start = file.read(6)
    for magic, opener in _TAR_STREAMS.items():
        if start.startswith(magic):
            return opener(archive)
    return archive.open("rb")


@contextmanager
def _damage_told(archive: Path, kind: str) -> Iterator[None]:
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
def open_zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip for reading; a missing or broken one is a DataError that says so."""
    with _damage_told(archive, "zip"):
        with _parsing():
            opened = zipfile.ZipFile(archive)
        with opened:
            if not all(info.filename for info in opened.infolist()):
                raise zipfile.BadZipFile("a member without a name")
            yield opened


def _open_info(archive: Path, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open a member that may be read."""
    _check_zip_member(archive, info)
    with _parsing():
        return opened.open(info)


@contextmanager
def _parsing() -> Iterator[None]:
    """Around zipfile's reading of names and offsets, where damage shows in more ways than a BadZipFile."""
    try:
        yield
    except (ValueError, IndexError, OverflowError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the start of the file
            raise
        raise zipfile.BadZipFile("a member lies outside the file") from None


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
        with _open_info(archive, opened, opened.getinfo(member)) as stream:
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
            content = io.BytesIO()
            with _open_info(archive, opened, info) as source:
                _copy_bounded(source, content, info.file_size, f"{archive.name}:{name}")
            yield name, content.getvalue()


def write_zip(
    archive: Path, members: Iterable[tuple[str, Path | bytes]], *, compression: int = zipfile.ZIP_DEFLATED
) -> int:
    """Write (member name, file or bytes) pairs, in the order given, with fixed dates; return how many."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "x", compression) as out:
        return _write_members(out, members)


def zip_bytes(members: Iterable[tuple[str, Path | bytes]], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The bytes of the archive that `write_zip` writes, for archives within archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "x", compression) as out:
        _write_members(out, members)
    return buffer.getvalue()


def _write_members(out: zipfile.ZipFile, members: Iterable[tuple[str, Path | bytes]]) -> int:
    count = 0
    for name, content in members:
        info = zipfile.ZipInfo(name, FIXED_DATE)
        info.compress_type = out.compression
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        if isinstance(content, bytes):
            out.writestr(info, content)
        else:
            info.file_size = content.stat().st_size
            with content.open("rb") as source, out.open(info, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        count += 1
    return count


@contextmanager
def create_zip(archive: Path, member: str, *, level: int | None = None) -> Iterator[IO[bytes]]:
    """Write a zip of one member as a stream, for what is too large to lie about as a plain file; fixed date.

    `level` is deflate's, 1 (fastest) to 9; none is its default.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=level) as out,
        out.open(member, "w", force_zip64=True) as stream,
    ):
        yield stream


def zip_folder(folder: Path, archive: Path, *, prefix: str = "") -> int:
    """Zip every file below `folder`, sorted by name, as `prefix` + relative path; return how many."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return write_zip(archive, ((prefix + path.relative_to(folder).as_posix(), path) for path in files))


def write_tar(
    archive: Path, members: Iterable[tuple[str, Path | bytes]], *, compressed: bool = False, level: int = 9
) -> int:
    """Write (member name, file or bytes) pairs, in the order given, with fixed dates and owners; return how many.

    `compressed` puts gzip around the tar, of this `level` from 1 (fastest) to 9.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        archive.open("xb") as file,
        gzip.GzipFile("", "wb", level, file, mtime=0) if compressed else nullcontext(file) as stream,
        tarfile.open(fileobj=stream, mode="w|") as out,
    ):
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mtime = calendar.timegm(FIXED_DATE)
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source:
                info.size = source.seek(0, io.SEEK_END)
                source.seek(0)
                out.addfile(info, source)
            count += 1
    return count


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


def _expansion_limit(archive: Path) -> int:
    """Bytes that an archive may unpack to in all."""
    try:
        return max(ALLOWED_EXPANSION, archive.stat().st_size * MAX_RATIO)
    except FileNotFoundError:
        raise DataError(f"The raw archive {archive} is missing; fetch the raw data again.") from None


def _check_total(archive: Path, total: int, limit: int) -> None:
    if total > limit:
        raise DataError(f"{archive.name} unpacks to more than {limit:,} bytes; it looks like a bomb.")


def _write_member(archive: Path, name: str, source: IO[bytes], size: int, folder: Path) -> None:
    """Write a member to its place below `folder`, which must be free."""
    target = folder / safe_member(name)
    with suppress(FileExistsError, NotADirectoryError):  # opening says so
        target.parent.mkdir(parents=True, exist_ok=True)
    with _new_file(archive, name, str(target)) as out:
        _copy_bounded(source, out, size, f"{archive.name}:{name}")


def _new_file(archive: Path, name: str, target: str) -> IO[bytes]:
    """Open a member's place for writing, which must be free."""
    try:
        return open(target, "xb")  # noqa: PTH123  (a hundred thousand paths; the caller closes it)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        raise DataError(f"{archive.name} holds {name!r} more than once, or {target} is there already.") from None


def _copy_bounded(source: IO[bytes], out: IO[bytes], size: int, name: str) -> None:
    """Copy exactly `size` bytes: an archive that lies about a member's size ends here."""
    left = size
    while chunk := source.read(1 << 20):
        left -= len(chunk)
        if left < 0:
            break
        out.write(chunk)
    _check_size(left, name)
    out.flush()


def _check_size(difference: int, name: str) -> None:
    if difference:
        raise DataError(f"{name} is not as large as its archive says; do not use this archive.")
