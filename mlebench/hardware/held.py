"""Who holds what at the moment, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlebench.hardware.ledger import Entry, Ledger


@dataclass(frozen=True)
class Held:
    """A lease on this machine, for people to read."""

    owner: str
    gpus: tuple[str, ...]
    cpuset: str | None
    pid: int
    user: int
    """The runner's user id."""
    runner_alive: bool
    since: datetime


def held_leases(folder: Path | None = None) -> list[Held]:
    """Every lease of this machine (of this user, where no shared folder is named), oldest first. Changes nothing."""
    ledger = Ledger(folder)
    if not ledger.folder.is_dir():
        return []
    with ledger.locked():
        entries = ledger.entries()
    return sorted((_shown(entry) for entry in entries), key=lambda one: one.since)


def _shown(entry: Entry) -> Held:
    record = entry.record
    return Held(
        record.owner,
        tuple(hold.device for hold in record.holds),
        record.cpuset,
        record.pid,
        record.user,
        entry.alive,
        record.since,
    )
