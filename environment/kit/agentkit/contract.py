"""What mlebench gives an agent and what it wants back: the environment, the clock, the folders, the outcome.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any


class OptionError(Exception):
    """An option or variable that the agent cannot use; one sentence for the user."""


class Ended(BaseException):
    """The work is over now: time is up, or somebody asked the agent to end. Not caught by `except Exception`."""

    def __init__(self, end: str, message: str) -> None:
        super().__init__(message)
        self.end = end


class Stuck(Exception):
    """One part of the work took longer than it may."""


@dataclass(frozen=True)
class Surroundings:
    """The environment variables of docs/agents.md, read once."""

    data: Path
    submission: Path
    code: Path
    logs: Path
    instructions: Path
    validate_script: Path
    agent: Path
    sample: Path | None
    time_limit: float | None
    """Seconds from the start; None is no limit."""
    step_limit: int | None
    seed: int
    hardware: str
    environment: Mapping[str, str]

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Surroundings:
        """Read `environment` (default: the process's own). Raises OptionError for what is missing or malformed."""
        env = os.environ if environment is None else environment

        def folder(name: str, default: str) -> Path:
            return Path(env.get(name) or default)

        submission = Path(env.get("SUBMISSION_FILE") or folder("SUBMISSION_DIR", "/home/submission") / "submission.csv")
        limit = _number(env.get("TIME_LIMIT_SECS", ""), "TIME_LIMIT_SECS")
        steps = _number(env.get("STEP_LIMIT", ""), "STEP_LIMIT")
        return cls(
            data=folder("DATA_DIR", "/home/data"),
            submission=submission,
            code=folder("CODE_DIR", "/home/code"),
            logs=folder("LOGS_DIR", "/home/logs"),
            instructions=folder("INSTRUCTIONS_FILE", "/home/instructions.txt"),
            validate_script=folder("VALIDATE_SCRIPT", "/home/validate_submission.sh"),
            agent=folder("AGENT_DIR", "/home/agent"),
            sample=Path(env["SAMPLE_SUBMISSION"]) if env.get("SAMPLE_SUBMISSION") else None,
            time_limit=limit,
            step_limit=None if steps is None else int(steps),
            seed=int(_number(env.get("SEED", ""), "SEED") or 0),
            hardware=env.get("HARDWARE", "").strip(),
            environment=env,
        )

    def model(self, role: str) -> str:
        """The model reference of a role, to be sent as it is."""
        reference = self.environment.get(f"MODEL_{role.upper()}") or self.environment.get("MODEL") or ""
        if not reference:
            raise OptionError("This agent needs a model: name one with --model PROVIDER/NAME.")
        return reference

    def text(self, option: str, default: str = "") -> str:
        """An option of the agent's own; `default` where it is not given or empty."""
        return self.environment.get(_variable(option), "").strip() or default

    def number(self, option: str, default: float | None, *, low: float = 0.0, high: float = 1e12) -> float:
        """An option that is a number from `low` to `high`."""
        value = _number(self.text(option), f"The option {option}")
        value = default if value is None else value
        if value is None or not low <= value <= high:
            raise OptionError(f"The option {option} must be a number from {low:g} to {high:g}, not {value}.")
        return value

    def temperature(self, option: str, default: float) -> float | None:
        """A sampling temperature; `none` leaves it to the model."""
        return None if self.text(option).lower() == "none" else self.number(option, default, high=2.0)


def _variable(option: str) -> str:
    return "OPTION_" + option.upper().replace("-", "_")


def _number(text: str, what: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise OptionError(f"{what} must be a number, not {text!r}.") from None
    if value != value:
        raise OptionError(f"{what} must be a number, not {text!r}.")
    return value


class Clock:
    """How much time is left, counted from the start of the process, less a margin for saving what is there."""

    def __init__(self, limit: float | None, *, age: float | None = None) -> None:
        self._started = time.monotonic() - (_process_age() if age is None else age)
        self.limit = limit
        self.margin = 0.0 if limit is None else min(max(5.0, 0.02 * limit), 60.0, 0.25 * limit)

    def passed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def left(self) -> float:
        """Seconds of work that are left; infinite without a limit, never negative."""
        return float("inf") if self.limit is None else max(0.0, self.limit - self.margin - self.passed())


def _process_age() -> float:
    """Seconds since this process began: interpreters and imports take their share of the time limit, too."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return min(max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK")), 120.0)
    except (OSError, ValueError, IndexError):
        return 0.0


class Watch:
    """Turns the end of the time and SIGTERM into `Ended`, raised in the main thread, outside of protected parts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held = 0
        self._pending: Ended | None = None
        self._over = False
        self._part: float | None = None

    def start(self) -> None:
        """From here on `Ended` may come."""
        signal.signal(signal.SIGTERM, self._asked)
        signal.signal(signal.SIGALRM, self._alarm)
        self._arm()

    def stop(self) -> None:
        """No more of it: what follows is the saving."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A part that is finished before `Ended` is raised; keep it short."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held and self._pending is not None:
                pending, self._pending = self._pending, None
                raise pending

    @contextmanager
    def part(self, seconds: float) -> Iterator[None]:
        """A part that may take so long and no longer: then `Stuck` is raised in it."""
        self._part = time.monotonic() + seconds
        self._arm()
        try:
            yield
        finally:
            self._part = None
            self._arm()

    def _arm(self) -> None:
        waits = [self._clock.left()]
        if self._part is not None:
            waits.append(self._part - time.monotonic())
        wait = min(waits)
        signal.setitimer(signal.ITIMER_REAL, 0 if wait == float("inf") else max(wait, 0.01))

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        if self._clock.left() <= 0.02:
            self._raise(Ended("out_of_time", "The time limit is near."))
        elif self._part is not None and time.monotonic() >= self._part - 0.02:
            self._part = None
            self._arm()
            raise Stuck("It took longer than it may.")
        else:
            self._arm()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._raise(Ended("out_of_time", "It was asked to end (SIGTERM)."))

    def _raise(self, ended: Ended) -> None:
        if self._over:
            return  # one is enough: what follows is the saving
        self._over = True
        if self._held:
            self._pending = ended
        else:
            raise ended


def write_atomically(path: Path, content: str | bytes) -> None:
    """The file is the old one or the new one, never half of it."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)


def copy_atomically(source: Path, target: Path) -> bool:
    """Copy a regular file; False where there is none, or where it cannot be copied (it is then as if it never was)."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        if not source.is_file():
            return False
        shutil.copyfile(source, partial)
        partial.replace(target)
    except OSError as problem:
        print(f"cannot copy {source} to {target}: {problem}", flush=True)
        with suppress(OSError):
            partial.unlink()
        return False
    return True


def append_line(path: Path, facts: Mapping[str, Any]) -> None:
    """Add a JSON line to a log; a full disk is no reason to end."""
    with suppress(OSError), path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(facts, default=str) + "\n")


def write_outcome(logs: Path, end: str, message: str | None, steps: int) -> None:
    """Say how the work ended: finished, out_of_steps, out_of_time, model_failure or crashed."""
    facts = {"end": end, "message": None if message is None else message[:500], "steps": steps}
    with suppress(OSError):
        write_atomically(logs / "outcome.json", json.dumps(facts) + "\n")
