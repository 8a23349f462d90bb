"""Runs from outside: ask the process that drives one to end, clean up after one that was killed, remove one."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mlebench.errors import MlebenchError, UsageError
from mlebench.running.events import EventLog
from mlebench.running.folders import AttemptFolder
from mlebench.running.lock import holder, run_lock
from mlebench.running.machine import open_leases
from mlebench.running.records import FRESH, Attempt, RunConfig, State
from mlebench.running.spec import sandbox_name
from mlebench.running.store import RunStore
from mlebench.sandbox.base import Sandbox

_PAUSE = 0.2


def ask_to_end(folder: Path, seconds: float, told: Callable[[int], None] = lambda pid: None) -> bool:
    """Have the process that drives a run end it cleanly, and wait for that; False when nobody drives it.

    `told` is called with the process's number once it was asked. MlebenchError when it still works after `seconds`.
    """
    pid = holder(folder)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        raise MlebenchError(f"Process {pid} drives the run {folder.name}, but not on this machine.") from None
    except PermissionError:
        raise MlebenchError(f"Process {pid} drives the run {folder.name} and belongs to another user.") from None
    told(pid)
    deadline = time.monotonic() + seconds
    while holder(folder) == pid:
        if time.monotonic() > deadline:
            raise MlebenchError(
                f"Process {pid} has not ended the run {folder.name} within {seconds:.0f} s; it may be still at it."
            )
        time.sleep(_PAUSE)
    return True


def clean_up(store: RunStore, sandbox: Sandbox) -> list[Attempt]:
    """End what a killed runner left running and queue it again; the attempts that were. Hold the run's lock.

    An attempt whose agent is over keeps its output: the next resume collects it.
    """
    ended = []
    for attempt in store.attempts():
        if attempt.state is not State.RUNNING or (attempt.end is not None and attempt.ended_at is not None):
            continue
        folder = AttemptFolder(store.folder / attempt.id)
        if attempt.handle is not None:
            with suppress(MlebenchError):
                sandbox.stop(attempt.handle, min(store.config.grace_seconds, 15.0))
        _remove_sandbox(store.id, store.config, attempt, sandbox)
        folder.drop_outbox()
        if folder.path.is_dir():
            with EventLog(folder.events) as log:
                log.append("requeued", why="stopped without a runner")
        ended.append(store.move(attempt.id, State.RUNNING, State.QUEUED, "stopped without a runner", **FRESH))
    return ended


def remove_run(folder: Path, sandbox: Sandbox) -> None:
    """Remove a run that nobody drives: its containers or processes, its leases, its folder."""
    pid = holder(folder)
    if pid is not None:
        raise UsageError(f"The run {folder.name} is being driven by process {pid}; end it with `mlebench runs stop`.")
    with run_lock(folder):
        with RunStore(folder) as store:
            for attempt in store.attempts():
                if attempt.state in (State.RUNNING, State.ENDED):
                    _remove_sandbox(store.id, store.config, attempt, sandbox)
        # Renamed first, so that a run is whole or gone, whatever happens while its files are deleted.
        aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.removed")
        folder.rename(aside)
    shutil.rmtree(aside)


def _remove_sandbox(run_id: str, config: RunConfig, attempt: Attempt, sandbox: Sandbox) -> None:
    name = sandbox_name(run_id, attempt)
    if attempt.handle is not None:
        sandbox.remove(attempt.handle)
    sandbox.remove_named(name)
    if attempt.share is not None:
        open_leases(config, sandbox).adopt(name, attempt.share).release()
