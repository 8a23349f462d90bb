"""Where one attempt's files lie.

submission/ code/ logs/   what the agent left, collected when it ended
agent.log                 what it printed
validations.jsonl         what it asked the validation endpoint
events.jsonl              what happened, chained by hash
usage.jsonl               what it asked models for, chained by hash (agents with a model)
egress.jsonl              what it asked of the network (--network allow=...), chained by hash
telemetry.jsonl           what its GPUs did
environment.json          what it ran in: image, engine, machine, data, agent, budgets, network
snapshots/<n>.csv.gz      its submission as it was while it ran
attempt.json grade.json   the result
control/                  what the agent was given: instructions and scripts
outbox/                   where the agent writes while it runs; gone afterwards
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlebench.bundle.seal import recorded
from mlebench.filenames import (
    ATTEMPT_FILE,
    EGRESS_FILE,
    ENVIRONMENT_FILE,
    EVENTS_FILE,
    GRADE_FILE,
    TELEMETRY_FILE,
    USAGE_FILE,
    VALIDATIONS_FILE,
)
from mlebench.running.files import write_json
from mlebench.running.live import LIVE_FILE
from mlebench.running.records import Attempt
from mlebench.sandbox.layout import NOTICES_FILE
from mlebench.sandbox.removal import remove_tree

OUTPUTS = ("submission", "code", "logs")


@dataclass(frozen=True)
class AttemptFolder:
    """The folder of one attempt."""

    path: Path

    @property
    def outbox(self) -> Path:
        """Writable for the agent."""
        return self.path / "outbox"

    @property
    def control(self) -> Path:
        """Read-only for the agent."""
        return self.path / "control"

    @property
    def submission(self) -> Path:
        """The collected submission."""
        return self.path / "submission" / "submission.csv"

    @property
    def agent_log(self) -> Path:
        """What the agent printed."""
        return self.path / "agent.log"

    @property
    def events(self) -> Path:
        """The event log."""
        return self.path / EVENTS_FILE

    @property
    def calls(self) -> Path:
        """What the agent asked the validation endpoint, as the endpoint itself notes it."""
        return self.path / VALIDATIONS_FILE

    @property
    def usage(self) -> Path:
        """What the agent asked models for; the gateway appends to it."""
        return self.path / USAGE_FILE

    @property
    def egress(self) -> Path:
        """What the agent asked of the network; the egress proxy appends to it."""
        return self.path / EGRESS_FILE

    @property
    def telemetry(self) -> Path:
        """What the agent's GPUs did."""
        return self.path / TELEMETRY_FILE

    @property
    def environment(self) -> Path:
        """What the attempt ran in."""
        return self.path / ENVIRONMENT_FILE

    @property
    def snapshots(self) -> Path:
        """Submissions as they were while the agent ran."""
        return self.path / "snapshots"

    @property
    def notices(self) -> Path:
        """What the agent was told while it ran."""
        return self.control / NOTICES_FILE

    @property
    def grade(self) -> Path:
        """The GradeReport."""
        return self.path / GRADE_FILE

    @property
    def attempt(self) -> Path:
        """The attempt's record, written when it is done."""
        return self.path / ATTEMPT_FILE

    def write_record(self, attempt: Attempt) -> None:
        """Write attempt.json, a copy of what the run store says, for people and tools without SQLite."""
        self.path.mkdir(exist_ok=True)
        write_json(self.attempt, recorded(attempt))

    def clear(self) -> None:
        """Drop everything an earlier try left, except the event log."""
        self.path.mkdir(exist_ok=True)
        for entry in self.path.iterdir():
            if entry == self.events:
                continue
            if entry.is_dir() and not entry.is_symlink():
                remove_tree(entry)
            else:
                entry.unlink()

    def drop_outbox(self) -> None:
        """Remove what only a running agent needs."""
        for folder in (self.outbox, self.control / "sockets", self.control / "inputs"):
            with suppress(OSError):
                remove_tree(folder)
        for complaints in self.path.glob("*.stderr.log"):
            if complaints.stat().st_size == 0:
                complaints.unlink()
        self._sweep()

    def _sweep(self) -> None:
        """Remove what a runner that was killed had written aside and not renamed yet."""
        for folder in (self.path, self.control, self.snapshots):
            for path in folder.glob(".*"):
                if path.is_file() or path.is_symlink():
                    path.unlink(missing_ok=True)
        for path in self.path.glob("*.tmp"):
            path.unlink(missing_ok=True)
        (self.path / LIVE_FILE).unlink(missing_ok=True)
