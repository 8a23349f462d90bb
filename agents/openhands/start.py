"""Runs an attempt with the OpenHands SDK: one conversation, local tools, the limits kept from inside."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

STARTED = time.monotonic()
sys.path.insert(0, str(Path(__file__).resolve().parent))

import task  # noqa: E402  (standard library only; the SDK takes seconds to import)
from outcome import Outcome  # noqa: E402


def main() -> None:
    outcome = Outcome()
    # Until the conversation runs, being told to end means leaving at once.
    signal.signal(signal.SIGTERM, lambda *_: leave(outcome, "out_of_time", "Ended before the first step.", 143))
    try:
        settings = task.read_settings(os.environ, STARTED)
        task.tidy_environment(os.environ)
        print(f"openhands: importing the SDK for {settings.model}", flush=True)
        from driver import drive

        drive(settings, outcome)
    except BaseException as problem:
        leave(outcome, "crashed", f"{type(problem).__name__}: {problem}", 1)
        raise
    print(f"openhands: {outcome.end}: {outcome.message or 'done'} ({outcome.steps} steps)", flush=True)
    leave(outcome, outcome.end, outcome.message, 0)


def leave(outcome: Outcome, end: str, message: str | None, code: int) -> None:
    """Say how it ended and go, whatever threads still run: a command in the agent's shell must not hold us."""
    if outcome.written is None:
        outcome.end, outcome.message = end, message
        outcome.write()
    if code == 1:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
