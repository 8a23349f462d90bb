"""The attempt's event log; how its lines are chained is in mlebench.chain."""

from __future__ import annotations

from mlebench.chain import GENESIS, Chain, EventLog, read_events, verify_chain

__all__ = ["EVENTS_FILE", "GENESIS", "Chain", "EventLog", "read_events", "verify_chain"]

EVENTS_FILE = "events.jsonl"
