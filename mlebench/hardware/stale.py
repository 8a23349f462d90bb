"""When is a dead runner's lease over? When its sandbox is, and has been for a while."""

from __future__ import annotations

import math
import time

from mlebench.hardware.api import Living
from mlebench.hardware.ledger import Entry, Ledger, Record

SETTLE_SECONDS = 5.0
"""How long a dead runner's lease is kept after its sandbox was found not to exist: an engine may still be about to
carry out the runner's last wish."""
ASK_AGAIN_SECONDS = 2.0
"""How long "it still exists" is believed."""


class StaleLeases:
    """Finds and takes out leases that are over. Thread-safe as far as it matters: two threads may both ask."""

    def __init__(self, ledger: Ledger, living: Living, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._ledger = ledger
        self._living = living
        self._settle = settle_seconds
        self._found_living: dict[str, float] = {}
        self._found_gone: dict[str, float] = {}
        self._over: set[str] = set()

    def clear(self, but: str) -> None:
        """Take out what is over, except a lease of the owner `but`. The folder must not be locked by the caller."""
        with self._ledger.locked():
            dead = [entry for entry in self._ledger.entries() if not entry.alive and entry.record.owner != but]
        # The engine is asked while nobody waits for the folder: it may take its time.
        over = [entry for entry in dead if self._is_over(entry.record)]
        if over:
            # In a folder that users share, another user's lease may have to stay: then it is passed over.
            self._over.update(entry.record.token for entry in over)
            with self._ledger.locked():
                for entry in over:
                    self._ledger.remove(entry)

    def passed_over(self, entry: Entry) -> bool:
        """Whether this lease is over although it still lies there."""
        return not entry.alive and entry.record.token in self._over

    def _is_over(self, record: Record) -> bool:
        now = time.monotonic()
        if now - self._found_living.get(record.token, -math.inf) < ASK_AGAIN_SECONDS:
            return False
        try:
            lives = self._living(record.owner)
        except Exception:
            lives = True  # an engine that does not answer says nothing about its containers
        if lives:
            self._found_living[record.token] = now
            self._found_gone.pop(record.token, None)
            return False
        return now - self._found_gone.setdefault(record.token, now) >= self._settle
