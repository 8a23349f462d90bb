"""The runs of a check, as the command line makes them, and what is left of them afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """A run that is over."""

    attempt: dict[str, Any] | None
    """The attempt's record as `mlebench run --json` prints it; None where the run did not get that far."""
    folder: Path
    """The attempt's folder."""
    complaint: str | None
    """What the command said went wrong."""
    log: str
    """What the agent printed."""


@dataclass(frozen=True)
class Bench:
    """Where the runs of a check lie and what they run on."""

    folder: Path
    data_dir: Path
    competition: str
    sandbox: str
    network: str = "none"

    @property
    def ran(self) -> bool:
        """Whether a run left something to look at."""
        return any(self._runs.glob("check-*"))

    @property
    def _runs(self) -> Path:
        return self.folder / "runs"

    def run(self, agent: Path, model: str | None, seconds: int, grace: int) -> Done:
        """One attempt with this time limit; waits for its end. Ctrl-C ends it cleanly."""
        runs = self._runs
        name = f"check-{1 + len(list(runs.glob('check-*')))}"
        words = [sys.executable, "-m", "mlebench", "run", "--agent", str(agent), "-c", self.competition]
        words += ["--sandbox", self.sandbox, "--time-limit", f"{seconds}s", "--grace", f"{grace}s", "--json"]
        words += ["--network", self.network, "--name", name, "--runs-dir", str(runs), "--data-dir", str(self.data_dir)]
        if model is not None:
            words += ["--model", model]
        # In a session of its own: a terminal's Ctrl-C would reach the run twice, and the second one means "at once".
        running = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            output, complaints = running.communicate()
        except KeyboardInterrupt:
            running.send_signal(signal.SIGINT)
            running.communicate()
            raise
        folder = runs / name / f"{self.competition}-s0"
        complaint = complaints.strip().splitlines()[-1].removeprefix("Error: ") if complaints.strip() else None
        try:
            attempt = json.loads(output)["attempts"][0]
        except (ValueError, KeyError, IndexError):
            attempt = None
        return Done(attempt, folder, complaint, _text(folder / "agent.log"))


def leftovers(folder: Path) -> list[str]:
    """Containers and processes of the runs below this folder that are still there."""
    return [*_containers(folder), *_processes(folder)]


def _containers(folder: Path) -> list[str]:
    """Containers that have something below the folder mounted; none where no engine answers."""
    from mlebench.agents.images import find_engine

    engine = find_engine()
    if engine is None:
        return []
    found = []
    for one in engine.client.api.containers(all=True):
        mounts = [Path(mount.get("Source") or "/") for mount in one.get("Mounts") or []]
        if any(mount.is_relative_to(folder) for mount in mounts):
            found.append(f"container {one['Names'][0].lstrip('/')}")
    return found


def _processes(folder: Path) -> list[str]:
    """Processes whose environment names the folder, as every agent's does that runs without a container."""
    mark, found = str(folder).encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(f"process {path.parent.name}")
        except (OSError, ValueError):
            continue
    return found


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[-20_000:].decode("utf-8", "replace")
    except OSError:
        return ""
