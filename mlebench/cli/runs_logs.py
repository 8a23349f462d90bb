"""`mlebench runs logs`: what agents print, followed over restarts, or what happened to an attempt."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.options import JsonOption, RunsDirOption
from mlebench.cli.runs import RunArgument, runs_app

if TYPE_CHECKING:
    from mlebench.running.records import Attempt
    from mlebench.running.store import RunStore

_PAUSE = 1.0


@runs_app.command("logs")
def logs(
    name: RunArgument,
    attempt: Annotated[
        str | None, typer.Argument(help="An attempt id, <competition>-s<seed>; without one, all attempts.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the agents end.")] = False,
    events: Annotated[bool, typer.Option("--events", help="What happened to the attempts instead.")] = False,
    runs_dir: RunsDirOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Print what agents printed, or with --events what happened to their attempts."""
    from mlebench.running.store import RunStore, resolve_run

    with RunStore(resolve_run(name, runs_dir)) as store:
        ids = [store.attempt(attempt).id] if attempt is not None else [one.id for one in store.attempts()]
        if as_json:
            _print_json(store, ids, attempt is not None, events)
            return
        tails = [(_Events if events else _Log)(store, one, prefix="" if attempt else f"{one} | ") for one in ids]
        while tails:
            began = time.monotonic()
            tails = [tail for tail in tails if not (tail.print_new() or not follow)]
            sys.stdout.buffer.flush()
            if tails:
                # Rarer where reading takes long: engines give a log from its beginning only.
                time.sleep(max(_PAUSE, 5 * (time.monotonic() - began)))


class _Log:
    """What one agent printed, and how much of it was shown."""

    def __init__(self, store: RunStore, attempt_id: str, prefix: str) -> None:
        self._store = store
        self._id = attempt_id
        self._prefix = prefix.encode()
        self._shown = 0
        self._try = 0

    def print_new(self) -> bool:
        """Print what is new; True when nothing more will come."""
        record = self._store.attempt(self._id)
        over = record.state in ("ended", "done")
        if record.tries != self._try:
            if self._try and record.tries:
                self._write(f"--- try {record.tries} ---\n".encode())
            self._try, self._shown = record.tries, 0
        text = _log_bytes(self._store, record)[self._shown :]
        if self._prefix and not over:
            text = text[: text.rfind(b"\n") + 1]  # a line that is still being printed waits, so that lines stay whole
        self._shown += len(text)
        self._write(text)
        return over

    def _write(self, text: bytes) -> None:
        if self._prefix:
            text = b"".join(self._prefix + line + b"\n" for line in text.splitlines())
        sys.stdout.buffer.write(text)


class _Events:
    """What happened to one attempt."""

    def __init__(self, store: RunStore, attempt_id: str, prefix: str) -> None:
        self._store = store
        self._id = attempt_id
        self._prefix = prefix
        self._shown = 0

    def print_new(self) -> bool:
        """Print what is new; True when nothing more will come."""
        over = self._store.attempt(self._id).state == "done"
        found = _events(self._store, self._id)
        for line in found[self._shown :]:
            facts = {key: value for key, value in line.items() if key not in ("seq", "at", "event", "prev", "hash")}
            print(self._prefix + line["at"], line["event"], *(f"{key}={value}" for key, value in facts.items()))
        self._shown = len(found)
        sys.stdout.flush()
        return over


def _print_json(store: RunStore, ids: list[str], single: bool, events: bool) -> None:
    from mlebench.cli import render

    found: list[Any] = []
    for one in ids:
        if events:
            found.append(_events(store, one) if single else {"attempt": one, "events": _events(store, one)})
        else:
            text = _log_bytes(store, store.attempt(one)).decode("utf-8", "replace")
            found.append({"attempt": one, "log": text})
    render.print_json(found[0] if single else found)


def _events(store: RunStore, attempt_id: str) -> list[dict[str, Any]]:
    from mlebench.running.events import read_events
    from mlebench.running.folders import AttemptFolder

    return list(read_events(AttemptFolder(store.folder / attempt_id).events))


def _log_bytes(store: RunStore, attempt: Attempt) -> bytes:
    """The collected log, or what the sandbox has of it so far."""
    from mlebench.errors import SandboxError
    from mlebench.running.folders import AttemptFolder
    from mlebench.running.outputs import AGENT_LOG_BYTES
    from mlebench.sandbox import get_sandbox

    collected = AttemptFolder(store.folder / attempt.id).agent_log
    try:
        if collected.is_file():
            return collected.read_bytes()
        if attempt.handle is None:
            return b""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "agent.log"
            get_sandbox(store.config.sandbox).logs(attempt.handle, copy, AGENT_LOG_BYTES)
            return copy.read_bytes()
    except (SandboxError, OSError):
        return b""
