"""What the scripted server sent, one JSON line a request: the figures that a meter has to come to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Ledger:
    """Entries in memory, and in a file where one is named; entries of earlier servers in that file are kept."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Condition()
        self._under_way = 0
        self._file: int | None = None
        self.entries: list[dict[str, Any]] = []
        """Oldest first."""
        if path is None:
            return
        known = path.read_bytes() if path.exists() else b""
        whole = known[: known.rfind(b"\n") + 1]
        self.entries = [json.loads(line) for line in whole.splitlines()]
        if len(whole) < len(known):  # the last writer was killed while it wrote
            os.truncate(path, len(whole))
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def request(self, entry: dict[str, Any]) -> Iterator[None]:
        """Note `entry`, which the block completes, when the block ends, however it ends."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            self._add(entry)

    def settled(self, seconds: float = 15) -> list[dict[str, Any]]:
        """The entries once no request is under way: a client may have its whole answer before the request is noted.

        Raises `TimeoutError` when one still is after `seconds`.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: self._under_way == 0, seconds):
                raise TimeoutError(f"{self._under_way} requests are still under way.")
            return list(self.entries)

    def _add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._under_way -= 1
            self._lock.notify_all()
            self.entries.append(entry)
            if self._file is not None:
                os.write(self._file, json.dumps(entry).encode() + b"\n")

    def totals(self) -> dict[str, int]:
        """Sum of the tokens sent: input, output, cached, reasoning."""
        with self._lock:
            entries = list(self.entries)
        names = ("input", "output", "cached", "reasoning")
        return {name: sum(entry["usage"][name] for entry in entries if entry["usage"]) for name in names}

    def uses(self) -> dict[tuple[str, str, int], int]:
        """How often each rule answered in each session: (session, script, rule) to count."""
        counts: dict[tuple[str, str, int], int] = {}
        for entry in self.entries:
            if entry["rule_number"] is not None:
                key = (entry["session"], entry["script"], entry["rule_number"])
                counts[key] = max(counts.get(key, 0), entry["use"])
        return counts

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
