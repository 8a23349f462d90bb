"""What the runner asks for, as the environment says it, and the task in words. Standard library only."""

from __future__ import annotations

import os
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

TASK_PYTHON = "/opt/task"
_SECRET = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
_DOORS = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL")

NOTES = """
More about this place
  You work alone in a Linux container: nobody answers questions, nobody reads along, there is no internet.
  {hardware}
  `python` in your shell has numpy, pandas, scikit-learn, scipy and pillow; nothing can be installed.
  Your shell starts in {code}. Put every script there. Keep one of them, {code}/solution.py, such that running it
  reads the data and writes your best submission from start to end: it will be run again to check your work.
  Do not copy the data and do not write large intermediate files into {code}; /tmp is there for them.
  A command that prints nothing for 30 seconds comes back to you unfinished. Give long ones a timeout (in seconds), or
  start them in the background with their output in a file, and look at it.
  You have about {time}{steps}. Submit something simple early, then use the time that is left to improve:
  validate on data held out from training, compare ideas, keep what helps. Ask the validation script before you end.
"""

GO_ON = """You have about {time}{steps} left, so go on: there is nobody to hand over to.
Check that {submission} is there and valid, then look for what would improve the held-out score the most and try it.
If nothing more can be gained, call finish."""

STUCK = """You have repeated the same action with the same result. Stop that and try another way."""


@dataclass(frozen=True)
class Settings:
    """One attempt's limits, model and options."""

    model: str
    condenser_model: str
    base_url: str
    key: str
    deadline: float
    """Monotonic time at which to stop, a little before the runner's own limit."""
    step_limit: int | None
    instructions: str
    hardware: str
    notices: Path | None
    data: Path
    code: Path
    logs: Path
    submission: Path
    context_tokens: int
    max_output_tokens: int
    reasoning_effort: str | None
    temperature: float | None
    condense_events: int
    go_on: bool
    idle_turns: int
    patience_seconds: float

    @property
    def seconds_left(self) -> float:
        """Until the deadline."""
        return self.deadline - time.monotonic()


def read_settings(environment: MutableMapping[str, str], started: float) -> Settings:
    """Read everything; KeyError or ValueError name what is missing or no number."""

    def option(name: str) -> str:
        return environment.get(f"OPTION_{name.upper()}", DEFAULTS[name]) or DEFAULTS[name]

    limit = float(environment["TIME_LIMIT_SECS"])
    # Room for the last command to be killed and the files to be written before SIGTERM comes.
    reserve = min(30.0, max(5.0, 0.02 * limit), 0.25 * limit)
    steps = environment.get("STEP_LIMIT", "")
    temperature = option("temperature")
    notices = environment.get("NOTICES_FILE")
    return Settings(
        model=environment["MODEL"],
        condenser_model=environment.get("MODEL_CONDENSER") or environment["MODEL"],
        base_url=environment["OPENAI_BASE_URL"],
        key=environment["OPENAI_API_KEY"],
        deadline=started + limit - reserve,
        step_limit=int(steps) if steps else None,
        instructions=Path(environment["INSTRUCTIONS_FILE"]).read_text(encoding="utf-8"),
        hardware=environment.get("HARDWARE", ""),
        notices=Path(notices) if notices else None,
        data=Path(environment["DATA_DIR"]),
        code=Path(environment["CODE_DIR"]),
        logs=Path(environment["LOGS_DIR"]),
        submission=Path(environment["SUBMISSION_FILE"]),
        context_tokens=int(option("context_tokens")),
        max_output_tokens=int(option("max_output_tokens")),
        reasoning_effort=option("reasoning_effort") or None,
        temperature=float(temperature) if temperature else None,
        condense_events=int(option("condense_events")),
        go_on=option("continue").lower() in ("true", "yes", "1", "on"),
        idle_turns=int(option("idle_turns")),
        patience_seconds=float(option("model_patience")),
    )


DEFAULTS = {
    "context_tokens": "128000",
    "max_output_tokens": "8192",
    "reasoning_effort": "",
    "temperature": "",
    "condense_events": "80",
    "continue": "true",
    "idle_turns": "3",
    "model_patience": "1800",
}
"""As in agent.toml; for runs by hand."""


def tidy_environment(environment: MutableMapping[str, str]) -> None:
    """Make the environment what the agent's shell shall see: no key, no model door, the task's Python first."""
    for name in (*_SECRET, *_DOORS):
        environment.pop(name, None)
    environment["PATH"] = f"{TASK_PYTHON}/bin:{environment.get('PATH', '/usr/bin:/bin')}"
    environment["VIRTUAL_ENV"] = TASK_PYTHON
    # The SDK runs the agent's commands at a lower priority, to keep a server responsive that is not there.
    environment["OH_TERMINAL_PROCESS_PRIORITY"] = "none"
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else a download is tried at import
    environment["OPENHANDS_SUPPRESS_BANNER"] = "1"
    environment["ANONYMIZED_TELEMETRY"] = "false"
    environment.setdefault("LOG_LEVEL", "ERROR")


def first_message(settings: Settings) -> str:
    """The task sheet and our notes."""
    notes = NOTES.format(
        hardware=f"Hardware: {settings.hardware}." if settings.hardware else f"{os.cpu_count()} processors.",
        code=settings.code,
        time=time_text(settings),
        steps=steps_text(settings.step_limit),
    )
    return settings.instructions.rstrip() + "\n" + notes


def time_text(settings: Settings) -> str:
    """What is left until the deadline: minutes, or seconds when it is little."""
    seconds = max(0, round(settings.seconds_left))
    return f"{seconds} seconds" if seconds < 180 else f"{round(seconds / 60)} minutes"


def steps_text(steps: int | None) -> str:
    """For a sentence about time."""
    return "" if steps is None else f" and {steps} steps"
