"""What a runner finds of an attempt that another one, killed since, had started."""

from __future__ import annotations

from datetime import UTC, datetime

from mlebench.bundle.usage import tally
from mlebench.errors import SandboxError
from mlebench.gateway.api import Usage
from mlebench.running.claim import read_claim
from mlebench.running.events import events_of_try
from mlebench.running.folders import AttemptFolder
from mlebench.running.records import Attempt, End
from mlebench.sandbox.base import Exit, Sandbox
from mlebench.sandbox.engine import EngineAwayError

NO_CODE = "nothing says how the agent ended; its supervisor was killed"
UNSERVED = "it failed while no runner brought its model calls through"
RESTARTED = "the engine or the machine was restarted while the agent ran, and ended it"


def fault_of_ours(over: Exit) -> str | None:
    """Why an end says nothing about the agent; None where it does."""
    if over.lost:
        return RESTARTED
    return NO_CODE if over.code is None else None


def why_lost(sandbox: Sandbox, attempt: Attempt, folder: AttemptFolder) -> str | None:
    """Why a running attempt cannot be gone on with; None when its agent still runs, or ended in a way that counts.

    EngineAwayError when no engine answers: then nothing is known.
    """
    if attempt.handle is None:
        return "lost: its runner was killed while it started"
    if attempt.end is End.CANCELLED:
        return "interrupted"
    try:
        over = sandbox.wait(attempt.handle, 0)
    except EngineAwayError:
        raise
    except SandboxError as error:
        return f"lost: {error}"
    if over is None or attempt.end is not None:
        return None
    fault = fault_of_ours(over) or (UNSERVED if _failed_unserved(attempt, over, folder) else None)
    return f"lost: {fault}" if fault is not None else None


def _failed_unserved(attempt: Attempt, over: Exit, folder: AttemptFolder) -> bool:
    """Whether the agent failed while no runner was there to bring its model calls through: that is no failure of its own.

    What ended well meanwhile, or was in need of nothing, counts.
    """
    if attempt.gateway_key is None or over.out_of_memory:
        return False
    claim = read_claim(folder.outbox / "logs")
    return over.code != 0 or (claim is not None and claim.end in ("model_failure", "crashed"))


def spent_unnoted(folder: AttemptFolder) -> Usage | None:
    """What the last try asked models for, where it was lost with its runner and the event log does not say it yet."""
    if not folder.usage.exists() or any(event["event"] == "usage" for event in events_of_try(folder.events)):
        return None
    spent = tally(folder.usage)
    return spent.usage(None, None) if spent is not None and spent.calls else None


def overrun(sandbox: Sandbox, attempt: Attempt, folder: AttemptFolder, tolerated_seconds: float) -> float:
    """By how much the agent may have outlived its time: up to now, or to its last submission when it ended."""
    assert attempt.deadline_at is not None and attempt.handle is not None
    if attempt.end is not None:
        return 0.0
    last = datetime.now(UTC)
    if not sandbox.alive(attempt.handle):
        try:
            written = (folder.outbox / "submission" / "submission.csv").lstat().st_mtime
        except OSError:
            return 0.0
        last = datetime.fromtimestamp(written, UTC)
    over = (last - attempt.deadline_at).total_seconds()
    return over if over > tolerated_seconds else 0.0
