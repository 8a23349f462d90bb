"""What the attempt is told through environment variables, and the time it may use."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHARE_OF_TIME = 0.4
"""Part of the time limit that is used, at most; the rest is a margin for slow disks and large test sets."""
MOST_SECONDS = 1800.0
"""Used at most, however long the limit is: more time would not make these models better."""


class OutOfTime(Exception):
    """The agent's own share of the time is used up."""


class Clock:
    """Counts the seconds this attempt allows itself."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds left; negative when overdue."""
        return self.seconds - self.spent

    def check(self) -> None:
        """Raise OutOfTime when nothing is left."""
        if self.left < 0:
            raise OutOfTime(f"the share of {self.seconds:.0f} s is used up")


@dataclass(frozen=True)
class Environment:
    """Where things are; the defaults are the container's."""

    data: Path
    submission: Path
    code: Path
    logs: Path
    sample: Path | None
    instructions: Path
    validate_url: str
    time_limit: float
    seed: int

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> Environment:
        """Read the variables that mlebench sets in every sandbox."""
        sample = variables.get("SAMPLE_SUBMISSION")
        folder = Path(variables.get("SUBMISSION_DIR", "/home/submission"))
        return cls(
            data=Path(variables.get("DATA_DIR", "/home/data")),
            submission=Path(variables.get("SUBMISSION_FILE") or folder / "submission.csv"),
            code=Path(variables.get("CODE_DIR", "/home/code")),
            logs=Path(variables.get("LOGS_DIR", "/home/logs")),
            sample=Path(sample) if sample else None,
            instructions=Path(variables.get("INSTRUCTIONS_FILE", "/home/instructions.txt")),
            validate_url=variables.get("VALIDATE_URL", "http://localhost:5000/validate"),
            time_limit=float(variables.get("TIME_LIMIT_SECS") or 3600),
            seed=int(variables.get("SEED") or 0),
        )

    def clock(self) -> Clock:
        """A clock over this attempt's share of the time limit."""
        return Clock(min(MOST_SECONDS, SHARE_OF_TIME * self.time_limit))
