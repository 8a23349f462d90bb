"""What all attempts of a run share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from mlebench.gateway.api import GatewayDesk
from mlebench.hardware.api import LeaseDesk
from mlebench.running.facts import RunFacts
from mlebench.running.grader import GraderPool
from mlebench.running.plan import Plan
from mlebench.running.records import Attempt, State
from mlebench.sandbox.base import Sandbox

PATIENCE_SECONDS = 120.0
"""For so long a sandbox or gateway may fail before a running attempt is given up."""
ENGINE_PATIENCE_SECONDS = 1800.0
"""For so long an engine that does not answer at all is waited for; what runs under it may go on meanwhile."""


class Move(Protocol):
    """Changes the attempt in the run store (see RunStore.move), committed on return."""

    def __call__(self, attempt_id: str, old: State, new: State, note: str = "", **fields: object) -> Attempt: ...


@dataclass(frozen=True)
class Site:
    """The run's side of an attempt: where it runs, who grades it, who keeps its state, what it can be lent."""

    run_id: str
    plan: Plan
    sandbox: Sandbox
    grader: GraderPool
    move: Move
    stopping: threading.Event
    """Set when the runner is asked to end: running attempts are stopped and queued again."""
    facts: RunFacts
    gateway: GatewayDesk | None = None
    """None for agents without a model."""
    leases: LeaseDesk | None = None
    """None where attempts get what the configuration says, and nothing is handed out."""
    patience_seconds: float = PATIENCE_SECONDS
    engine_patience_seconds: float = ENGINE_PATIENCE_SECONDS
