"""The machine's memory is shared out equally, and never all of it."""

from __future__ import annotations

import os

from mlebench.running.machine import memory_share_gb


def test_shares_add_up_to_less_than_the_machine() -> None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    alone, four = memory_share_gb(1), memory_share_gb(4)
    assert alone is not None and four is not None
    assert 0.8 * total < alone < total
    assert abs(4 * four - alone) < 0.3
