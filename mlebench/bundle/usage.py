"""Adding up usage.jsonl anew, line by line, by the gateway's own rules but without its totals."""

from __future__ import annotations

import math
from pathlib import Path

from mlebench.bundle.logs import documents
from mlebench.gateway.totals import Totals


def tally(path: Path) -> Totals | None:
    """The sums; None where a line is not one of a gateway's."""
    total = Totals()
    try:
        for line in documents(path):
            total.apply(line)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None
    return total if math.isfinite(total.usd) else None
