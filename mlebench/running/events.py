"""The attempt's event log; how its lines are chained is in mlebench.chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlebench.chain import GENESIS, Chain, EventLog, read_events, verify_chain

__all__ = ["GENESIS", "Chain", "EventLog", "events_of_try", "read_events", "verify_chain"]


def events_of_try(path: Path) -> list[dict[str, Any]]:
    """The events since the attempt was last started; all of them where no start is noted."""
    since: list[dict[str, Any]] = []
    for line in read_events(path):
        if line["event"] == "try":
            since.clear()
        since.append(line)
    return since
