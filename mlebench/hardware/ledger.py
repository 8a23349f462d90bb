"""Who holds what of this machine: one small file a lease, in a folder that all runners agree on.

A lease's file is locked (flock) by the runner that holds it, so the kernel tells when a runner died, however it died
and whoever asks. Reading and changing the folder happens under one more lock. Files are written aside and renamed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from mlebench.errors import HardwareError
from mlebench.sandbox.processes import boot_mark, start_mark

FOLDER_VARIABLE = "MLEBENCH_LEASES_DIR"
_LOCK = "lock"
_SUFFIX = ".lease"
_LARGEST = 64_000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class Hold(BaseModel):
    """One place on one device."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    device: str
    slot: int = Field(default=0, ge=0)
    places: int = Field(default=1, ge=1)
    """How many attempts share the device; 1: it is held alone."""


class Record(BaseModel):
    """What stands in a lease's file."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True, extra="ignore")

    owner: str
    """The sandbox's name."""
    holds: tuple[Hold, ...] = ()
    cpuset: str | None = None
    pid: int
    start: str | None
    """The runner's start mark: its pid alone may belong to another process later."""
    boot: str
    namespace: str
    """The pid namespace in which `pid` means something."""
    user: int
    since: AwareDatetime
    token: str
    """Tells one lease of an owner from the next."""


@dataclass(frozen=True)
class Entry:
    """A lease as found in the folder."""

    path: Path
    record: Record
    alive: bool
    """Whether its runner lives."""


def default_folder() -> Path:
    """MLEBENCH_LEASES_DIR, else a folder of this user's own that every session of the user finds.

    Not XDG_RUNTIME_DIR: it is unset in some sessions and removed with the last one, while runners go on.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).absolute() if named else Path(f"/tmp/mlebench-{os.getuid()}/leases")


class Ledger:
    """The folder of leases. Every method but `locked` is to be called while `locked` is held."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).absolute()
        self._private = folder is None and not os.environ.get(FOLDER_VARIABLE)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who reads or changes leases, among threads and processes. HardwareError where none can."""
        try:
            self._make_folder()
            file = self._lock()
        except OSError as error:
            raise HardwareError(
                f"Leases cannot be kept in {self.folder} ({error.strerror}); name another folder in {FOLDER_VARIABLE}."
            ) from None
        try:
            yield
        finally:
            os.close(file)

    def entries(self) -> list[Entry]:
        """All leases, whether their runners live or not; files that are none are passed over."""
        found = []
        for path in sorted(self.folder.iterdir()):
            if path.name.endswith(".tmp"):
                _try_unlink(path)  # of a runner that was killed while it wrote: nobody writes now
            elif path.name.endswith(_SUFFIX) and (entry := _read(path)) is not None:
                found.append(entry)
        return found

    def write(self, record: Record) -> int:
        """Put a lease into the folder, in place of its owner's earlier one. The file returned keeps it alive."""
        path = self._path(record.owner)
        aside = path.with_name(f"{path.name}.{record.token}.tmp")
        try:
            file = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.fchmod(file, 0o644)  # whatever the umask: in a folder that users share, others must see it
                content = record.model_dump_json().encode()
                if os.write(file, content) != len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                aside.replace(path)
            except BaseException:
                os.close(file)
                _try_unlink(aside)
                raise
        except OSError as error:
            raise HardwareError(f"A lease cannot be written to {self.folder}: {error.strerror}.") from None
        _open_leases.add(file)
        return file

    def remove(self, entry: Entry) -> None:
        """Take a dead runner's lease out, if it is still the one that was seen and may be removed."""
        now = _read(entry.path)
        if now is not None and now.record.token == entry.record.token and not now.alive:
            _try_unlink(entry.path)

    def remove_own(self, owner: str, token: str, file: int) -> None:
        """Take out a lease of this process and let go of its file."""
        path = self._path(owner)
        now = _read(path)
        if now is not None and now.record.token == token:
            _try_unlink(path)
        close_lease(file)

    def _path(self, owner: str) -> Path:
        name = owner if _PLAIN_NAME.fullmatch(owner) else hashlib.sha256(owner.encode()).hexdigest()
        return self.folder / f"{name}{_SUFFIX}"

    def _make_folder(self) -> None:
        if not self._private:
            self.folder.mkdir(parents=True, exist_ok=True)
            return
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
                raise HardwareError(
                    f"{folder} is not a folder that only this user can write; remove it, or name another in "
                    f"{FOLDER_VARIABLE}."
                )

    def _lock(self) -> int:
        path = self.folder / _LOCK
        while True:
            try:
                file = _open_lock(path)
            except FileNotFoundError:
                self.folder.stat()  # fails where the folder, not the file, is gone
                continue
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                # Somebody who tidied up may have removed the file meanwhile; then others lock another one.
                if os.path.samestat(os.fstat(file), path.lstat()):
                    return file
            except FileNotFoundError:
                pass
            os.close(file)


def new_record(owner: str, holds: tuple[Hold, ...], cpuset: str | None) -> Record:
    """A lease of this process."""
    return Record(
        owner=owner,
        holds=holds,
        cpuset=cpuset,
        pid=os.getpid(),
        start=start_mark(os.getpid()),
        boot=boot_mark(),
        namespace=_pid_namespace(),
        user=os.getuid(),
        since=datetime.now(UTC),
        token=uuid.uuid4().hex,
    )


def close_lease(file: int) -> None:
    """Let go of a lease's file; harmless for one that is closed."""
    if file in _open_leases:
        _open_leases.discard(file)
        os.close(file)


_open_leases: set[int] = set()
"""Files whose locks say that this process lives."""


def _let_go_in_child() -> None:
    """A forked child must not keep the leases of its parent alive."""
    for file in _open_leases:
        os.close(file)
    _open_leases.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


def _open_lock(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        # Another user's file may not be writable, and need not be.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    os.fchmod(file, 0o644)
    return file


def _read(path: Path) -> Entry | None:
    """A lease; None for what is none (any more). Folders that users share may hold anything."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            return None
        try:
            record = Record.model_validate_json(os.read(file, _LARGEST))
        except ValidationError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:  # held by its runner; or it cannot be told, which must free nothing
            return Entry(path, record, alive=True)
        return Entry(path, record, alive=_runs(record))
    finally:
        os.close(file)


def _runs(record: Record) -> bool:
    """Whether the runner's process is there: a second sign of life beside the lock, in case the file was copied."""
    if record.start is None or record.boot != boot_mark() or record.namespace != _pid_namespace():
        return False
    return start_mark(record.pid) == record.start


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _try_unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass
