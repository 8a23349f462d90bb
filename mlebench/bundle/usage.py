"""Adding up usage.jsonl anew, line by line, without the gateway's own totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mlebench.bundle.logs import documents


@dataclass
class Tally:
    """Sums over a log of model calls."""

    calls: int = 0
    errors: int = 0
    refused: int = 0
    replayed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    unmetered: int = 0
    usd: float = 0.0
    models: Counter[str] = field(default_factory=Counter)


def tally(path: Path) -> Tally | None:
    """The sums; None where a line cannot be read."""
    total = Tally()
    try:
        for line in documents(path):
            if line.get("event") == "refused":
                total.refused += 1
            elif line.get("event") == "call":
                total.calls += 1
                total.errors += bool(line.get("error"))
                total.replayed += bool(line.get("replayed"))
                total.unmetered += bool(line.get("unmetered"))
                total.tokens_in += int(line.get("tokens_in") or 0)
                total.tokens_out += int(line.get("tokens_out") or 0)
                total.tokens_cached += int(line.get("tokens_cached") or 0)
                total.usd += float(line.get("usd") or 0.0)
                total.models[str(line.get("model"))] += 1
    except (ValueError, TypeError, OverflowError):
        return None
    return total
