"""How an agent says its work ended (logs/outcome.json), and what that changes about the end we saw ourselves.

The agent's word decides nothing that would help it: no attempt is graded differently for it, and
none that a runner watched is run again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlebench.running.records import AgentClaim, End
from mlebench.sandbox.base import Exit
from mlebench.sandbox.layout import OUTCOME_FILE

MAX_BYTES = 64 * 1024
_NEARLY = 0.1
"""An agent that stops because of its time has at most this part of it left, or a minute."""


def read_claim(logs: Path) -> AgentClaim | None:
    """The claim in a collected logs folder; None where there is none or it cannot be read as one."""
    try:
        handle = os.open(logs / OUTCOME_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            text = file.read(MAX_BYTES + 1)
        facts: Any = json.loads(text) if len(text) <= MAX_BYTES else None
        if isinstance(facts, dict) and isinstance(facts.get("message"), str):
            facts["message"] = facts["message"].encode("utf-8", "replace").decode("utf-8")[:500]
        return AgentClaim.model_validate(facts)
    except (OSError, ValueError, RecursionError, ValidationError):
        return None


def end_of(over: Exit) -> End:
    """The end as the sandbox tells it."""
    if over.out_of_memory:
        return End.OUT_OF_MEMORY
    return End.FINISHED if over.code == 0 else End.CRASHED


def refined_end(end: End, claim: AgentClaim | None, *, refused: bool, left_seconds: float, limit: float) -> End:
    """The end told apart further: `refused` says whether a call was turned away because the budget is used up.

    `left_seconds` of the time limit of `limit` seconds were left when the agent ended. Only what ended by itself is looked at; what the runner ended keeps the runner's reason.
    """
    if end not in (End.FINISHED, End.CRASHED):
        return end
    if refused:
        return End.OUT_OF_BUDGET
    said = claim.end if claim is not None else None
    if said == "model_failure":
        return End.MODEL_FAILURE
    if end is End.CRASHED or said == "crashed":
        return End.CRASHED
    if said == "out_of_steps":
        return End.OUT_OF_STEPS
    if said == "out_of_time" and left_seconds <= max(60.0, _NEARLY * limit):
        return End.OUT_OF_TIME
    return end


def unusual(end: End, exit_code: int | None, claim: AgentClaim | None) -> str | None:
    """One sentence about an end that is not simply `finished`."""
    said = f" It says: {claim.message}" if claim is not None and claim.message else ""
    if end is End.CRASHED:
        how = "says that it failed" if exit_code == 0 else f"ended with exit code {exit_code}"
        return f"The agent {how}; agent.log holds what it printed.{said}"
    if end is End.OUT_OF_MEMORY:
        return "The agent was killed because it used more memory than allowed."
    if end is End.MODEL_FAILURE:
        return f"The agent says that its model kept failing.{said}"
    if end is End.OUT_OF_BUDGET:
        return "The agent ended after its model budget was used up."
    return None
