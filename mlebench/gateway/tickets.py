"""Tickets on their way through the pipe to the gateway's process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlebench.gateway.api import Budget, Replay, Ticket


def ticket_facts(ticket: Ticket) -> dict[str, Any]:
    """A ticket as plain data."""
    facts = asdict(ticket)
    return {key: str(value) if isinstance(value, Path) else value for key, value in facts.items()}


def ticket_of(facts: dict[str, Any]) -> Ticket:
    """The ticket again."""
    paths = {key: Path(facts[key]) if facts[key] is not None else None for key in ("log", "socket", "cache")}
    more = {"models": tuple(facts["models"]), "budget": Budget(**facts["budget"]), "replay": Replay(facts["replay"])}
    return Ticket(**{**facts, **paths, **more})
