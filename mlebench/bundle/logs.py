"""Reading the logs of a bundle: chains checked, hostile content harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlebench.bundle.source import Bundle
from mlebench.chain import verify_chain
from mlebench.filenames import EGRESS_FILE, EVENTS_FILE, USAGE_FILE

CHAINED = (EVENTS_FILE, USAGE_FILE, EGRESS_FILE)
MAX_LINE = 16 << 20
"""No line of a log of ours is longer; reading stops there."""


@dataclass(frozen=True)
class Log:
    """One chained log."""

    name: str
    lines: int
    head: str
    problem: str | None
    """Why it is not whole; None when every line holds and the last is the one that the index names."""


def check_log(bundle: Bundle, name: str) -> Log | None:
    """Check a log's chain against the head in the index; None where the bundle has no such log."""
    path = bundle.path(name)
    if path is None:
        return None
    head = bundle.index.heads.get(name)
    if head is None:
        return Log(name, 0, "", "the index does not say how it ends")
    if not lines_are_short(path):
        return Log(name, 0, "", "a line is too long")
    try:
        chain = verify_chain(path, head.hash if head.lines else None)
    except RecursionError:
        return Log(name, 0, "", "a line is not an event")
    problem = chain.problem.rstrip(".") if chain.problem else None
    if problem is None and chain.lines != head.lines:
        problem = f"it has {chain.lines} lines instead of {head.lines}"
    return Log(name, chain.lines, chain.head, problem)


def lines_are_short(path: Path) -> bool:
    """Whether the file can be read line by line without filling the memory."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                return False
    return True


def documents(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a log, line by line; ValueError at the first line that is none."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE + 1):
            try:
                document = json.loads(line) if line.endswith(b"\n") else None
            except RecursionError:
                document = None
            if not isinstance(document, dict):
                raise ValueError(f"{path.name} has a line that is no JSON object")
            yield document


@dataclass
class Story:
    """What the event log tells, try by try."""

    tries: list[list[dict[str, Any]]] = field(default_factory=list)

    @classmethod
    def of(cls, events: Iterator[dict[str, Any]]) -> Story:
        """Split the events; what stands before the first try belongs to none."""
        story = cls()
        for event in events:
            if event.get("event") == "try":
                story.tries.append([])
            if story.tries:
                story.tries[-1].append(event)
        return story

    @property
    def last(self) -> list[dict[str, Any]]:
        """The try that counts."""
        return self.tries[-1] if self.tries else []

    def named(self, name: str) -> list[dict[str, Any]]:
        """Events of this name in the last try."""
        return [event for event in self.last if event.get("event") == name]

    def place(self, name: str) -> int | None:
        """Where in the last try an event of this name first stands."""
        return next((number for number, event in enumerate(self.last) if event.get("event") == name), None)
