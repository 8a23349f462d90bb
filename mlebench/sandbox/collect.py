"""Copying what an agent left, without trusting any of it.

The walk holds every folder open and goes from there (dir_fd, O_NOFOLLOW), so no name, link or rename made by the
agent leads out of the outbox. Only regular files are copied, into files of our own with ordinary names and modes.
Hard links: a container cannot make one across a mount, and Linux forbids them to files of other users; a file with
several names that belongs to someone else than its output folder is left out all the same.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlebench.sandbox.layout import OUTBOX_FOLDERS
from mlebench.sandbox.removal import remove_tree

MAX_DEPTH = 60
"""Folders within folders; deeper ones hold one open file each and come from no honest program."""
MAX_PATH = 1024
"""Bytes of a path below the outbox: what is kept must have a path that programs can open, wherever the runs lie."""
MAX_WATCHED = 2_000_000
UNBOUNDED = sys.maxsize
_SHOWN = 200
_CHUNK = 1 << 20
_KINDS = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True)
class Skipped:
    """Something that was left behind."""

    path: str
    why: str


@dataclass
class CollectReport:
    """What was copied and what was not."""

    files: int = 0
    bytes: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    """The first 200 of them."""
    skipped_count: int = 0

    def skip(self, path: str, why: str) -> None:
        """Note something that is left behind."""
        self.skipped_count += 1
        if len(self.skipped) < _SHOWN:
            self.skipped.append(Skipped(path, why))


def collect_outbox(outbox: Path, destination: Path, max_bytes: int, max_files: int) -> CollectReport:
    """Copy submission/, code/ and logs/, in this order, to `destination`, which is whole or absent.

    At most `max_bytes` (apparent size, so that holes in a file count) and `max_files` (folders count as well) are
    taken; what does not fit is reported and left. A destination that exists is replaced.
    """
    report = CollectReport()
    aside = destination.with_name(f".{destination.name}.partial")
    _delete(aside)
    aside.mkdir(parents=True)
    collector = _Collector(report, max_bytes, max_files)
    for name in OUTBOX_FOLDERS:
        (aside / name).mkdir()
        try:
            source = os.open(outbox / name, _FOLDER)
        except OSError as problem:
            report.skip(name, _sentence(problem))
            continue
        with _closing(source), _closing(os.open(aside / name, _FOLDER)) as target:
            info = os.fstat(source)
            collector.owner, collector.device = info.st_uid, info.st_dev
            collector.folder(source, target, name, 0)
    _delete(destination)
    aside.replace(destination)
    return report


def copy_regular(folder: Path, name: str, destination: Path, max_bytes: int) -> str | None:
    """Copy one file out of a folder the agent writes to (for snapshots); the reason as words when it is not done."""
    report = CollectReport()
    aside = destination.with_name(f".{destination.name}.partial")
    aside.unlink(missing_ok=True)
    try:
        source = os.open(folder, _FOLDER)
    except OSError as problem:
        return _sentence(problem)
    with _closing(source), _closing(os.open(aside.parent, _FOLDER)) as target:
        info = os.fstat(source)
        collector = _Collector(report, max_bytes, 1)
        collector.owner, collector.device = info.st_uid, info.st_dev
        collector.file(source, name, target, aside.name, name)
    if report.skipped:
        aside.unlink(missing_ok=True)
        return report.skipped[0].why
    aside.replace(destination)
    return None


def outbox_usage(outbox: Path) -> int:
    """Bytes the agent's output takes on disk; see folders_usage."""
    return folders_usage([outbox / name for name in OUTBOX_FOLDERS])


def folders_usage(folders: Iterable[Path]) -> int:
    """Bytes that folders with an agent's files take on disk (allocated blocks; every entry at least one of 4096).

    What cannot be watched counts as UNBOUNDED: more than two million entries, folders deeper than 60, paths too long,
    folders that the agent closed to us.
    """
    total = count = 0
    waiting = [(folder, 1) for folder in folders]
    while waiting:
        folder, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return UNBOUNDED
        try:
            descriptor = os.open(folder, _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            if problem.errno == errno.ELOOP:
                continue
            return UNBOUNDED
        with _closing(descriptor), os.scandir(descriptor) as entries:
            for entry in entries:
                count += 1
                if count > MAX_WATCHED:
                    return UNBOUNDED
                try:
                    info = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                total += max(info.st_blocks * 512, 4096)
                if stat.S_ISDIR(info.st_mode):
                    waiting.append((folder / entry.name, depth + 1))
    return total


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class _Collector:
    """The walk over one outbox, with what is left of the bounds."""

    def __init__(self, report: CollectReport, max_bytes: int, max_files: int) -> None:
        self.report = report
        self.bytes_left = max_bytes
        self.files_left = max_files
        self.owner = -1
        self.device = -1

    def folder(self, source: int, target: int, shown: str, depth: int) -> None:
        """Copy what lies in an open folder to another open folder."""
        taken: dict[str, int] = {}
        with os.scandir(source) as entries:
            for entry in entries:
                path = f"{shown}/{safe_name(entry.name)}"
                if self.files_left <= 0:
                    self.report.skip(path, "too many files; this and what follows was left")
                    return
                self.files_left -= 1
                name = _free_name(safe_name(entry.name), taken)
                if not entry.is_dir(follow_symlinks=False):
                    self.file(source, entry.name, target, name, path)
                elif depth >= MAX_DEPTH or len(os.fsencode(path)) > MAX_PATH:
                    self.report.skip(path[:MAX_PATH], f"deeper than {MAX_DEPTH} folders, or too long a path")
                else:
                    self._subfolder(source, entry.name, target, name, path, depth)

    def _subfolder(self, source: int, entry: str, target: int, name: str, path: str, depth: int) -> None:
        try:
            below = os.open(entry, _FOLDER, dir_fd=source)
        except OSError as problem:
            self.report.skip(path, _sentence(problem))
            return
        with _closing(below):
            if os.fstat(below).st_dev != self.device:
                self.report.skip(path, "another file system is mounted there")
                return
            os.mkdir(name, 0o755, dir_fd=target)
            with _closing(os.open(name, _FOLDER, dir_fd=target)) as inside:
                self.folder(below, inside, path, depth + 1)

    def file(self, source: int, entry: str, target: int, name: str, path: str) -> None:
        """Copy one entry if it is a regular file that fits."""
        try:
            # Looked at before it is opened: opening a device can have effects. Looked at again once it is open.
            kind = stat.S_IFMT(os.stat(entry, dir_fd=source, follow_symlinks=False).st_mode)
            if kind != stat.S_IFREG:
                self.report.skip(path, f"not a regular file ({_KINDS.get(kind, 'unknown kind')})")
                return
            descriptor = os.open(entry, _FILE, dir_fd=source)
        except OSError as problem:
            self.report.skip(path, _sentence(problem))
            return
        with _closing(descriptor):
            info = os.fstat(descriptor)
            if why := self._refusal(info):
                self.report.skip(path, why)
                return
            copy = os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=target
            )
            with _closing(copy):
                try:
                    copied = _copy_bytes(descriptor, copy, info.st_size)
                except OSError as problem:
                    if problem.errno == errno.ENOSPC:
                        raise
                    self.report.skip(path, _sentence(problem))
                    return
            self.bytes_left -= info.st_size
            self.report.files += 1
            self.report.bytes += copied

    def _refusal(self, info: os.stat_result) -> str | None:
        if not stat.S_ISREG(info.st_mode):
            return "not a regular file"
        if info.st_dev != self.device:
            return "on another file system"
        if info.st_nlink > 1 and info.st_uid != self.owner:
            return "a hard link to a file of another user"
        if info.st_size > self.bytes_left:
            return f"too large ({info.st_size} bytes, {self.bytes_left} left)"
        return None


def safe_name(name: str) -> str:
    """The name itself when it is ordinary, else with every odd byte as %XX and at most 200 bytes long."""
    raw = os.fsencode(name)
    try:
        ordinary = raw.decode("utf-8").isprintable() and "\\" not in name and len(raw) <= 200
    except UnicodeDecodeError:
        ordinary = False
    if ordinary:
        return name
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b"\\%" else f"%{byte:02X}" for byte in raw)[:200]


def _free_name(name: str, taken: dict[str, int]) -> str:
    """`name`, or `name~2` and so on where file systems that do not tell A from a would see the same name again."""
    free = name
    while free.casefold() in taken:
        taken[name.casefold()] += 1
        free = f"{name}~{taken[name.casefold()]}"
    taken[free.casefold()] = 1
    return free


def _copy_bytes(source: int, target: int, size: int) -> int:
    """Copy at most `size` bytes: a file that grows meanwhile does not make us go on."""
    copied = 0
    while copied < size:
        chunk = os.read(source, min(_CHUNK, size - copied))
        if not chunk:
            break
        view = memoryview(chunk)
        while view:
            view = view[os.write(target, view) :]
        copied += len(chunk)
    return copied


def _sentence(problem: OSError) -> str:
    if problem.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a symbolic link, or no folder"
    return (problem.strerror or "cannot be read").lower()


def _delete(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        remove_tree(path)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
