"""A tiny competition on disk, with a canary in its answers, and attempts to run on it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from mlebench.competition import Competition, load_competition
from mlebench.sandbox.base import Exit, Resources, Sandbox, SandboxSpec
from mlebench.sandbox.layout import VALIDATE_SOCKET

CANARY = "canary-7f3a" + "-answers"
"""Stands in the answers; no agent may ever see it."""
SAMPLE = "id,y\n1,0.5\n2,0.5\n3,0.5\n"
_TOML = """
id = "toy"
title = "Toy"
group = "own"
category = "Tabular"
[submission]
id = "id"
columns = [{ names = ["y"], type = "number", min = 0, max = 1 }]
[metric]
name = "roc_auc"
title = "AUC"
higher_is_better = true
"""


@dataclass
class Toy:
    """The competition, and the folders of its data."""

    root: Path
    competition: Competition
    public: Path
    private: Path

    @property
    def sample(self) -> Path:
        return self.public / "sample_submission.csv"


def make_toy(root: Path) -> Toy:
    folder = root / "competitions" / "toy"
    folder.mkdir(parents=True)
    (folder / "competition.toml").write_text(_TOML)
    prepared = root / "data" / "toy" / "prepared"
    public, private = prepared / "public", prepared / "private"
    public.mkdir(parents=True)
    private.mkdir(mode=0o700)
    (public / "sample_submission.csv").write_text(SAMPLE)
    (public / "description.md").write_text("Predict y.\n")
    (private / "test.csv").write_text(f"id,y,note\n1,1,{CANARY}\n2,0,\n3,1,\n")
    return Toy(root, load_competition(folder), public, private)


@dataclass
class Attempt:
    """One attempt's folders, with an agent made of one Python script."""

    toy: Toy
    script: str
    environment: dict[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=lambda: Resources(memory_gb=0.5, cpus=1, pids=64))
    command: tuple[str, ...] = ("python3", "agent.py")
    name: str = "mlebench-test"
    handle: str = ""

    def __post_init__(self) -> None:
        self.home = self.toy.root / "runs" / self.name
        self.outbox, self.control, self.agent = self.home / "outbox", self.home / "control", self.home / "agent"
        self.agent.mkdir(parents=True)
        (self.control / "sockets").mkdir(parents=True)
        (self.agent / "agent.py").write_text(self.script)

    @property
    def socket(self) -> Path:
        return self.control / VALIDATE_SOCKET

    @property
    def spec(self) -> SandboxSpec:
        return SandboxSpec(
            name=self.name,
            image="mlebench-agent",
            command=self.command,
            agent_dir=self.agent,
            public=self.toy.public,
            outbox=self.outbox,
            control=self.control,
            environment={"COMPETITION_ID": "toy", "TIME_LIMIT_SECS": "60", "SEED": "0", **self.environment},
            resources=self.resources,
            labels={"mlebench.run": "test", "mlebench.attempt": self.name},
        )

    def start(self, sandbox: Sandbox) -> str:
        self.handle = sandbox.start(self.spec)
        return self.handle

    def run(self, sandbox: Sandbox, seconds: float = 60) -> Exit:
        """Start, wait for the end, and say what was printed when it takes too long."""
        ended = sandbox.wait(self.start(sandbox), seconds)
        assert ended is not None, self.printed(sandbox)
        return ended

    def printed(self, sandbox: Sandbox, limit: int = 100_000) -> str:
        sandbox.logs(self.handle, self.home / "agent.log", limit)
        return (self.home / "agent.log").read_text(errors="replace")

    def until(self, name: str, seconds: float = 20) -> str:
        """Wait for a file below the outbox and return its text."""
        path = self.outbox / name
        deadline = time.monotonic() + seconds
        while not path.exists() or not path.read_text():
            assert time.monotonic() < deadline, f"{path} did not appear"
            time.sleep(0.05)
        return path.read_text()


on_linux = sys.platform.startswith("linux")
