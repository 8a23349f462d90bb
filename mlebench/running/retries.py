"""When an attempt may be started, again or at all, and when this runner gives it up."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mlebench.running.records import Attempt, State

BACKOFF_SECONDS = 5.0
BACKOFF_MOST = 300.0
SHARE_SECONDS = 5.0
"""How often the machine is asked for a share while others hold it all; at once when an attempt of this run ends."""
ENGINE_SECONDS = 5.0
"""How often an engine that does not answer is tried again."""


@dataclass
class _Slot:
    """How an attempt fares in this runner."""

    failures: int = 0
    not_before: float = 0.0
    given_up: bool = False


class Retries:
    """Counts faults of ours; used by the driver alone."""

    def __init__(self, most: int, backoff_seconds: float, engine_patience_seconds: float) -> None:
        """`most`: failures of one attempt until it is given up. An engine that is away counts for nothing so long."""
        self._most = most
        self._backoff = backoff_seconds
        self._engine_patience = engine_patience_seconds
        self._slots: dict[str, _Slot] = {}
        self._hold_until = 0.0
        """Queued attempts wait until then: there was no share of the machine, or no engine."""
        self._away_since: float | None = None

    def given_up(self, attempt_id: str) -> bool:
        """Whether this runner does nothing more about the attempt."""
        return self._slot(attempt_id).given_up

    def ready(self, attempt: Attempt) -> bool:
        """Whether it may be worked on now."""
        now = time.monotonic()
        if attempt.state is State.QUEUED and now < self._hold_until:
            return False
        return self._slot(attempt.id).not_before <= now

    def came_to_an_end(self) -> None:
        """A thread ended without a fault: what others wait for may be there now."""
        self._hold_until = 0.0
        self._away_since = None

    def no_share(self) -> None:
        """Nothing of the machine is free."""
        self._hold_until = time.monotonic() + SHARE_SECONDS

    def engine_away(self, attempt_id: str) -> bool:
        """The engine does not answer; whether to go on trying."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        slot = self._slot(attempt_id)
        slot.given_up = now - self._away_since >= self._engine_patience
        slot.not_before = self._hold_until = now + min(ENGINE_SECONDS, self._backoff)
        return not slot.given_up

    def failed(self, attempt_id: str) -> tuple[int, bool]:
        """A fault of ours; how many of this attempt there were, and whether to try again after a pause."""
        slot = self._slot(attempt_id)
        slot.failures += 1
        slot.given_up = slot.failures >= self._most
        slot.not_before = time.monotonic() + min(self._backoff * 2 ** (slot.failures - 1), BACKOFF_MOST)
        return slot.failures, not slot.given_up

    def _slot(self, attempt_id: str) -> _Slot:
        return self._slots.setdefault(attempt_id, _Slot())
