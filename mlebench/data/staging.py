"""What keeps a prepared folder whole or absent: a lock per competition, work aside, a rename at the end."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from mlebench.data.raw_files import ONE_TIME, unpacked
from mlebench.errors import DataError

STAGING = ".staging-"
"""Begins the names of folders in which a process works that holds the lock."""
IMPORTING = ".import-"
"""Begins the names of folders in which an import gathers files; they outlive it when it is killed."""
_LOOK_AGAIN = 0.2
"""Seconds between two looks at a lock that another process holds."""
WAITING = "another process works on it; waiting until it is done"


@contextmanager
def locked(
    home: Path, waiting: Callable[[str], object] = lambda _: None, stop: threading.Event | None = None
) -> Iterator[None]:
    """Hold the competition's lock; a second process waits here (`waiting` is told) until the first is done.

    Ctrl-C ends the wait of the main thread; other threads give `stop`, and get a DataError once it is set.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w")
    except OSError as error:
        raise DataError(f"The data folder {home} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(WAITING)
            _wait_for(lock, stop)
        yield


def _wait_for(lock: IO[str], stop: threading.Event | None) -> None:
    if stop is None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return
    while not stop.wait(_LOOK_AGAIN):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    raise DataError("Stopped while another process worked on it.")


def publish(made: Path, target: Path, staging: Path) -> None:
    """Rename `made` to `target`; what is there already is moved below `staging`, which is about to be removed."""
    if target.exists():
        (staging / "replaced").mkdir()
        target.rename(staging / "replaced" / target.name)
    made.rename(target)
    remove_tree(target.with_name(IMPORTING + target.name))  # an import of the same that was never finished


def remove_leftovers(home: Path) -> None:
    """Remove the staging of a run that was killed (the caller holds the lock, so it is nobody's)."""
    for folder in home.glob(f"{STAGING}*"):
        # Killed between the two renames of `publish`: what was about to be replaced is still whole.
        for replaced in folder.glob("replaced/*"):
            if not (home / replaced.name).exists():
                replaced.rename(home / replaced.name)
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder as far as possible; what is left is a leftover for the next time."""
    shutil.rmtree(folder, ignore_errors=True)


def make_public(made: Path, *, own_raw: bool) -> dict[str, str]:
    """Make public files readable, and return the sha256 of those that were unpacked and not changed since, by path.

    Public files readable for whatever user an agent runs as, and all of one age; answers for their owner alone.

    A file's time tells when it was unpacked or copied, and so in which order, which may tell its class. Files that
    are hard links into a folder of the user's keep their times, since those are the user's.
    """
    (made / "private").chmod(0o700)
    known: dict[str, str] = {}
    for folder, _, names in os.walk(made / "public", topdown=False):
        below = folder[len(str(made)) + 1 :]
        for name in names:
            path = f"{folder}/{name}"
            facts = os.lstat(path)
            if not stat.S_ISREG(facts.st_mode):
                continue
            if not facts.st_mode & stat.S_IROTH:
                with suppress(PermissionError):
                    os.chmod(path, stat.S_IMODE(facts.st_mode) | stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)  # noqa: PTH101
            if facts.st_mtime_ns == ONE_TIME * 10**9:
                if facts.st_ino in unpacked:
                    known[f"{below}/{name}"] = unpacked[facts.st_ino]
            elif own_raw or facts.st_nlink == 1:
                unpacked.pop(facts.st_ino, None)  # changed since: another name of it will have the same time
                os.utime(path, (ONE_TIME, ONE_TIME))
        Path(folder).chmod(0o755)
        os.utime(folder, (ONE_TIME, ONE_TIME))
    return known
