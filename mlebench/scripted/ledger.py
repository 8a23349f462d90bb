"""What the scripted server sent, one JSON line a request: the figures that a meter has to come to."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Ledger:
    """Entries in memory, and in a file where one is named; entries of earlier servers in that file are kept."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
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

    def add(self, entry: dict[str, Any]) -> None:
        """Note one request that is over."""
        with self._lock:
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
