"""Logs whose lines are chained by hash: events.jsonl (what happened to an attempt) and usage.jsonl (its model calls).

    {"seq": 0, "at": "...", "event": "started", ..., "prev": "<hash of the line before>", "hash": "<this line's>"}

`hash` is the sha256 of `prev` followed by the canonical JSON (sorted keys, no spaces, ASCII escapes) of the line without
`prev` and `hash`; the first line's `prev` is 64 zeros. A line changed, dropped or put between others breaks the chain.
Lines cut off at the end are noticed by comparing the last hash with the one the run store keeps.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlebench.errors import DataError

GENESIS = "0" * 64
_OWN_KEYS = ("seq", "at", "event", "prev", "hash")


@dataclass(frozen=True)
class Chain:
    """What checking an event log found."""

    lines: int
    """Whole lines whose hash holds, up to the first problem."""
    head: str
    """Hash of the last of them."""
    problem: str | None = None
    """One sentence: what breaks the chain; None when every line holds."""
    torn: bool = False
    """The only problem is a last line without its end: its writer was killed while it wrote."""
    size: int = 0
    """Bytes of the lines that hold."""

    @property
    def holds(self) -> bool:
        """Whether the whole file is as it was written."""
        return self.problem is None


class EventLog:
    """Appends to an attempt's event log; every line is on disk when `append` returns. One writer at a time."""

    def __init__(self, path: Path, durable: bool = True) -> None:
        """`durable` false: a line survives the end of this process, but not a power failure right after it."""
        self._path = path
        self._durable = durable
        chain = verify_chain(path) if path.exists() else Chain(0, GENESIS)
        if chain.torn:
            os.truncate(path, chain.size)
        elif not chain.holds:
            raise DataError(f"The event log {path} was changed: {chain.problem}")
        self._seq, self._head, self._size = chain.lines, chain.head, chain.size
        self._file = path.open("ab", buffering=0)
        if chain.torn:
            self.append("torn_line_dropped")

    @property
    def head(self) -> str:
        """Hash of the last line."""
        return self._head

    @property
    def lines(self) -> int:
        """How many there are."""
        return self._seq

    def append(self, event: str, **facts: Any) -> None:
        """Add one line; `facts` are JSON values under names of their own. OSError (a full disk): the log is as before."""
        clash = set(facts) & set(_OWN_KEYS)
        if clash:
            raise ValueError(f"these names belong to the log itself: {sorted(clash)}")
        line = {"seq": self._seq, "at": datetime.now(UTC).isoformat(), "event": event, **facts}
        digest = _line_hash(self._head, line)
        text = json.dumps({**line, "prev": self._head, "hash": digest}, allow_nan=False).encode("ascii") + b"\n"
        try:
            self._write(text)
        except OSError:
            # Part of the line may be there; the next one must follow the one before it.
            with suppress(OSError):
                self._file.truncate(self._size)
            raise
        self._seq, self._head, self._size = self._seq + 1, digest, self._size + len(text)

    def _write(self, text: bytes) -> None:
        left = memoryview(text)
        while left:
            left = left[self._file.write(left) :]
        if self._durable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def verify_chain(path: Path, head: str | None = None) -> Chain:
    """Check every line's hash, and that the last one is `head` where the run store knows it."""
    count, last, size = 0, GENESIS, 0
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return Chain(count, last, f"line {count + 1} is torn.", torn=True, size=size)
            problem = _problem(raw, count, last)
            if problem:
                return Chain(count, last, f"line {count + 1} {problem}.", size=size)
            count, last, size = count + 1, json.loads(raw)["hash"], size + len(raw)
    if head is not None and head != last:
        return Chain(count, last, f"after line {count} lines are missing or were added.", size=size)
    return Chain(count, last, size=size)


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of an event log, unchecked; nothing where there is no log yet."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                yield json.loads(raw)


def _problem(raw: bytes, seq: int, last: str) -> str | None:
    try:
        line = json.loads(raw)
        prev, digest = line.pop("prev"), line.pop("hash")
        expected = _line_hash(last, line)
    except (ValueError, TypeError, KeyError, AttributeError):
        return "is not an event"
    if prev != last or line.get("seq") != seq:
        return "does not follow the line before it"
    return None if digest == expected else "was changed"


def _line_hash(prev: str, line: dict[str, Any]) -> str:
    text = json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256((prev + text).encode("ascii")).hexdigest()
