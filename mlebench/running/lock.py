"""One runner per run: an advisory lock that the operating system drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mlebench.errors import UsageError

LOCK_FILE = "run.lock"
_TRIES, _PAUSE = 5, 0.1
"""Somebody who only asks for the holder has the lock for a moment."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run's lock; a UsageError names the process that holds it already."""
    with (folder / LOCK_FILE).open("a+", encoding="ascii") as file:
        for number in range(_TRIES):
            if _locked(file, fcntl.LOCK_EX):
                break
            if number + 1 < _TRIES:
                time.sleep(_PAUSE)
        else:
            raise UsageError(
                f"The run {folder.name} is being driven by process {_pid(file) or 'unknown'}; "
                "wait for it, or stop it with `mlebench runs stop`."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def holder(folder: Path) -> int | None:
    """The process that drives a run; None when nobody does."""
    try:
        with (folder / LOCK_FILE).open("r", encoding="ascii") as file:
            for _ in range(_TRIES):
                if _locked(file, fcntl.LOCK_SH):
                    return None
                if pid := _pid(file):
                    return pid
                time.sleep(_PAUSE)  # it has just begun, and not written its number yet
            return None
    except FileNotFoundError:
        return None


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(file: IO[str]) -> int | None:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdecimal() else None
