"""One benchmark run as a user would start it: `mlebench run`, killed and resumed, in a place of its own."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from soaking.memory import Sampler

ROOT = Path(__file__).resolve().parents[2]
MARK = "MLEBENCH_SOAK"
"""Variable that every process of the run inherits, so that those it leaves behind are found."""
COMPETITION = "practice-breast-cancer"
RUN = "soak"
HAND_IN = "hand-in"
"""An agent of this script: copies the sample submission with a shell and ends."""
_HAND_IN = """
name = "hand-in"
title = "Copies the sample submission"
command = ["sh", "-c", 'cp "$SAMPLE_SUBMISSION" "$SUBMISSION_FILE"']
process = true
"""


@dataclass
class Place:
    """Folders of one run that nobody else uses: data, runs, temporary files, leases."""

    root: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.runs / RUN

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def leases(self) -> Path:
        return self.root / "leases"

    @property
    def said(self) -> Path:
        """What the runners printed."""
        return self.root / "said.txt"

    def environment(self) -> dict[str, str]:
        """For every command of the run."""
        return os.environ | {
            MARK: self.mark,
            "TMPDIR": str(self.temporary),
            "MLEBENCH_LEASES_DIR": str(self.leases),
            "PYTHONPATH": str(ROOT),
        }

    def prepare(self) -> None:
        """Make the folders and the competition's data."""
        for folder in (self.runs, self.temporary, self.leases):
            folder.mkdir(parents=True)
        (self.root / HAND_IN).mkdir(mode=0o755)
        (self.root / HAND_IN / "agent.toml").write_text(_HAND_IN)
        command = [sys.executable, "-m", "mlebench", "prepare", COMPETITION, "--data-dir", str(self.data)]
        subprocess.run(command, check=True, env=self.environment(), capture_output=True)


@dataclass(frozen=True)
class Load:
    """What is run."""

    attempts: int
    concurrency: int
    sandbox: str = "docker"
    agent: str = "dummy"
    time_limit: str = "2m"


class Runner:
    """One life of the runner's process: new where there is no run yet, else resumed."""

    def __init__(self, place: Place, load: Load) -> None:
        self._place = place
        command = [sys.executable, "-m", "mlebench", "run", "--runs-dir", str(place.runs)]
        if (place.run / "run.sqlite").exists():
            command += ["--resume", RUN]
        else:
            agent = str(place.root / HAND_IN) if load.agent == HAND_IN else load.agent
            command += ["--agent", agent, "-c", COMPETITION, "--seeds", str(load.attempts), "--name", RUN]
            command += ["--concurrency", str(load.concurrency), "--sandbox", load.sandbox]
            command += ["--time-limit", load.time_limit, "--grace", "5s", "--data-dir", str(place.data)]
        self.began = time.monotonic()
        self.cpu = 0.0
        """Processor seconds of it and its helpers, known at its end."""
        with place.said.open("ab") as said:
            self._process = subprocess.Popen(
                command, env=place.environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self.memory = Sampler(self._process.pid, lambda: counts(place).get("done", 0))

    def poll(self) -> int | None:
        """Its exit code, or nothing while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """kill -9 of the runner alone, as an out-of-memory killer would; its helpers are not touched."""
        self._process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> int:
        """Wait for the end; the exit code."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = self._process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.memory.stop()
        return code


def counts(place: Place) -> dict[str, int]:
    """State -> attempts in it, as the run store says now; nothing while there is no store."""
    path = place.run / "run.sqlite"
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as db:
            return dict(db.execute("SELECT state, count(*) FROM attempts GROUP BY state").fetchall())
    except sqlite3.OperationalError:
        return {}  # a killed runner's journal is waiting to be rolled back by the next one
