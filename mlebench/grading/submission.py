"""Opening a submission file: hostile input until proven to be a plain table of text.

The file is opened once, without following a link and without ever waiting on a pipe; it is scanned once for
what no CSV may hold (bytes that are not UTF-8, NUL bytes, endless lines, more data than any contest asks for) and
only then handed to the CSV reader.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from mlebench.errors import InvalidSubmissionError, Reason

MAX_BYTES = 8 * 2**30
"""Largest submission that is read, unpacked; the largest real one is below 1 GB."""
MAX_LINE_BYTES = 256 * 2**20
"""Longest line; a run-length mask of a whole-slide image stays far below."""
MAX_HEADER_BYTES = 2**20
"""Longest first line; ten thousand column names are a tenth of it."""
_CHUNK = 4 * 2**20
_FORMATS = (".csv", ".csv.gz", ".csv.zip", ".zip", ".parquet")


@dataclass(frozen=True)
class SubmissionFile:
    """A file that passed the scan and can be read as a table."""

    path: Path
    format: str
    """csv or parquet"""
    sha256: str
    """Of the file as it lies on disk."""
    header: str
    """First line that is not blank (CSV only)."""
    warnings: tuple[str, ...]
    open: Callable[[], IO[bytes]]
    """Opens the unpacked content from its start."""


@contextmanager
def open_submission(path: str | Path) -> Iterator[SubmissionFile]:
    """Open, scan and hash a submission; InvalidSubmissionError with a reason when it is no readable table."""
    path = Path(path)
    with _open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise InvalidSubmissionError(Reason.EMPTY, "The submission file is empty.")
        if size > MAX_BYTES:
            raise InvalidSubmissionError(
                Reason.TOO_LARGE,
                f"The submission is {size / 2**30:.1f} GiB; at most {MAX_BYTES // 2**30} GiB are read.",
            )
        name = path.name.lower()
        if not name.endswith(_FORMATS):
            raise InvalidSubmissionError(
                Reason.UNREADABLE,
                f"The submission must be a .csv file (or {', '.join(_FORMATS[1:])}), not {path.name!r}.",
            )
        if name.endswith(".parquet"):
            yield SubmissionFile(path, "parquet", _sha256(file), "", (), lambda: _rewound(file))
            return
        opener = _opener(file, name)
        if name.endswith(".csv"):
            scan = _scan(opener())
            digest = scan.sha256
        else:
            scan, digest = _scan_archive(opener, path.name), _sha256(file)
        yield SubmissionFile(path, "csv", digest, scan.header, tuple(scan.warnings), opener)


def _open_regular(path: Path) -> IO[bytes]:
    """Open a regular file and nothing else: no symlink, folder, FIFO, socket or device."""
    try:
        kind = path.lstat().st_mode
        if stat.S_ISREG(kind):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if stat.S_ISREG(os.fstat(handle).st_mode):
                return os.fdopen(handle, "rb")
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidSubmissionError(Reason.NO_FILE, f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidSubmissionError(Reason.NOT_A_FILE, f"{path} cannot be opened: {detail}.") from None
    names = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a pipe"}
    what = names.get(stat.S_IFMT(kind), "a special file")
    raise InvalidSubmissionError(Reason.NOT_A_FILE, f"{path} is {what}; a submission must be a regular file.")


def _rewound(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    # A second object on the same open file: whoever closes it leaves ours open.
    return os.fdopen(os.dup(file.fileno()), "rb")


def _opener(file: IO[bytes], name: str) -> Callable[[], IO[bytes]]:
    if name.endswith(".gz"):
        return lambda: cast("IO[bytes]", gzip.GzipFile(fileobj=_rewound(file)))
    if name.endswith(".zip"):
        return lambda: _zip_member(_rewound(file))
    return lambda: _rewound(file)


def _zip_member(file: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    members = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if len(members) != 1 or not members[0].filename.lower().endswith(".csv"):
        raise InvalidSubmissionError(Reason.UNREADABLE, "A zipped submission must hold exactly one .csv file.")
    if members[0].flag_bits & 0x1:
        raise InvalidSubmissionError(
            Reason.UNREADABLE, "The zipped submission is encrypted; submit it without a password."
        )
    # The readers of other methods unpack without a bound on memory.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidSubmissionError(Reason.UNREADABLE, "The zipped submission must be stored or deflated.")
    return archive.open(members[0])


def _scan_archive(opener: Callable[[], IO[bytes]], name: str) -> _Scan:
    """Scan what an archive holds; this reads all of it and compares its checksum."""
    try:
        return _scan(opener())
    except InvalidSubmissionError:
        raise
    except Exception as error:  # whatever a damaged archive makes its reader raise, the file is unreadable
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise InvalidSubmissionError(Reason.UNREADABLE, f"The archive {name} is damaged: {detail}.") from None


@dataclass
class _Scan:
    sha256: str
    header: str
    warnings: list[str]


def _scan(stream: IO[bytes]) -> _Scan:
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    header = b""
    warnings: list[str] = []
    total = line = 0
    with stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            if total == 0:
                if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise InvalidSubmissionError(Reason.BAD_ENCODING, "The submission is UTF-16; save it as UTF-8.")
                if chunk.startswith(codecs.BOM_UTF8):
                    warnings.append("The file starts with a byte-order mark; it was skipped.")
            total += len(chunk)
            if total > MAX_BYTES:
                raise InvalidSubmissionError(
                    Reason.TOO_LARGE, f"The submission unpacks to more than {MAX_BYTES // 2**30} GiB."
                )
            if b"\0" in chunk:
                raise InvalidSubmissionError(
                    Reason.BAD_ENCODING, "The submission holds NUL bytes; it is not a text file."
                )
            try:
                if decoder.getstate()[0] or not chunk.isascii():
                    decoder.decode(chunk)
            except UnicodeDecodeError:
                raise InvalidSubmissionError(
                    Reason.BAD_ENCODING, "The submission is not valid UTF-8; save it with that encoding."
                ) from None
            first = chunk.find(b"\n")
            if total == len(chunk):
                header = _first_line(chunk)
            if first < 0:
                line += len(chunk)
            else:
                line = max(line + first, len(chunk) - chunk.rfind(b"\n"))
            if line > MAX_LINE_BYTES:
                raise InvalidSubmissionError(
                    Reason.TOO_LARGE, f"A line of the submission is longer than {MAX_LINE_BYTES // 2**20} MiB."
                )
            if first >= 0:
                line = len(chunk) - chunk.rfind(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InvalidSubmissionError(Reason.BAD_ENCODING, "The submission ends inside a UTF-8 character.") from None
    return _Scan(digest.hexdigest(), header.decode("utf-8", "replace"), warnings)


def _first_line(start: bytes) -> bytes:
    """The first line that is not blank; as the CSV reader, skip blank ones and take any of the three line ends."""
    start = start.removeprefix(codecs.BOM_UTF8)
    blank = start[: len(start) - len(start.lstrip(b" \t\r\n"))]
    line = start[max(blank.rfind(b"\r"), blank.rfind(b"\n")) + 1 :]
    line = line.partition(b"\n")[0].partition(b"\r")[0]
    if len(line) > MAX_HEADER_BYTES:
        raise InvalidSubmissionError(
            Reason.UNREADABLE, f"The first line is longer than {MAX_HEADER_BYTES // 2**20} MiB; it is no header."
        )
    return line


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(cast("io.BufferedReader", file), "sha256").hexdigest()
