"""egress.jsonl: what an attempt asked of the network, chained by hash like events.jsonl.

    egress_started   hosts: the allow-list
    opened           id, method, host, port, address: let through; its request line follows when it is over
    request          id, method, host, port, allowed, reason, address, up, down (bytes), seconds
    refused_more     count: refusals beyond the first 10000 are counted in steps of 1000, not logged one by one
    egress_stopped

A line `opened` without its `request` means that the proxy was killed meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mlebench.chain import EventLog, read_events

LOGGED_REFUSALS = 10_000
MAX_REQUESTS = 100_000
"""Requests let through in one attempt: each stands in the log, and the log is bounded."""
_STEP = 1000


class HostTotals(BaseModel):
    """One host and port."""

    requests: int = 0
    up: int = 0
    down: int = 0


class EgressTotals(BaseModel):
    """Totals of an egress log."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    requests: int = 0
    """Let through."""
    refused: int = 0
    up: int = 0
    """Bytes from the agent."""
    down: int = 0
    hosts: dict[str, HostTotals] = {}
    """By HOST:PORT, what was let through."""
    refused_hosts: list[str] = []
    """HOST:PORT of refusals, at most 100 of them."""
    head: str | None = None
    """Hash of the log's last line."""


def egress_totals(path: Path) -> EgressTotals:
    """Sum up a log; unchecked (see mlebench.chain.verify_chain), all zeros where there is none."""
    totals, open_ones = EgressTotals(), {}
    hosts: dict[str, HostTotals] = defaultdict(HostTotals)
    refused: dict[str, None] = {}
    for line in read_events(path):
        totals.head = line["hash"]
        where = f"{line.get('host')}:{line.get('port')}"
        if line["event"] == "opened":
            open_ones[line["id"]] = where
        elif line["event"] == "refused_more":
            totals.refused += line["count"]
        elif line["event"] == "request" and line["allowed"]:
            open_ones.pop(line["id"], None)
            hosts[where].requests += 1
            hosts[where].up += line["up"]
            hosts[where].down += line["down"]
        elif line["event"] == "request":
            # Let through at first, then found to be something else: it is a refusal with bytes.
            open_ones.pop(line["id"], None)
            totals.refused += 1
            totals.up += line["up"]
            totals.down += line["down"]
            if len(refused) < 100:
                refused[where] = None
    for where in open_ones.values():
        hosts[where].requests += 1
    totals.requests = sum(host.requests for host in hosts.values())
    totals.up += sum(host.up for host in hosts.values())
    totals.down += sum(host.down for host in hosts.values())
    totals.hosts, totals.refused_hosts = dict(hosts), list(refused)
    return totals


class Record:
    """Writes the log; what was written before a restart counts."""

    def __init__(self, path: Path, hosts: list[str]) -> None:
        before = egress_totals(path)
        self._let_through = before.requests
        self._refused = before.refused
        self._log = EventLog(path, durable=False)
        self._log.append("egress_started", hosts=hosts)

    @property
    def full(self) -> bool:
        """Whether so much was let through that no more is."""
        return self._let_through >= MAX_REQUESTS

    def opened(self, **facts: Any) -> None:
        """Note what is let through, before anything is sent."""
        self._let_through += 1
        self._log.append("opened", **facts)

    def over(self, **facts: Any) -> None:
        """Note how a request went, or that it was refused."""
        if not facts["allowed"]:
            self._refused += 1
            if self._refused > LOGGED_REFUSALS and not facts.get("up"):
                if self._refused % _STEP == 0:
                    self._log.append("refused_more", count=_STEP)
                return
        self._log.append("request", **facts)

    def close(self) -> None:
        """Note the end."""
        self._log.append("egress_stopped")
        self._log.close()
