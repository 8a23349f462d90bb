"""What this machine has to share among attempts."""

from __future__ import annotations

import os

SHARED_PART = 0.9
"""Part of the memory that attempts get together; the rest is for the runner, the graders and the host."""


def memory_share_gb(concurrency: int) -> float | None:
    """An equal share of the machine's memory for each of `concurrency` attempts; None where it cannot be told.

    Without a limit one greedy attempt would take down the others, the runner and the host with it.
    """
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return max(0.1, round(SHARED_PART * total / 1024**3 / concurrency, 1))
