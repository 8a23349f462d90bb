"""What an agent writes: watched while it runs, collected when it ended."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mlebench.running.folders import OUTPUTS, AttemptFolder
from mlebench.sandbox.collect import CollectReport, collect_outbox, outbox_usage

AGENT_LOG_BYTES = 100_000_000
MAX_FILES = 200_000
_GB = 1024**3
_WATCH_SECONDS = 5.0


class DiskWatch:
    """Says when the outbox is over its limit. Looks every few seconds, and rarer where looking takes long."""

    def __init__(self, outbox: Path, limit_gb: float) -> None:
        self._outbox = outbox
        self._limit = limit_gb * _GB
        self._next = 0.0
        self.message = f"The agent was ended because it wrote more than {limit_gb:g} GB."

    def full(self) -> bool:
        """Whether the limit was exceeded, as of the last look."""
        now = time.monotonic()
        if now < self._next:
            return False
        used = outbox_usage(self._outbox)
        took = time.monotonic() - now
        self._next = now + max(_WATCH_SECONDS, 20 * took)
        return used > self._limit


def collect_outputs(folder: AttemptFolder, limit_gb: float) -> CollectReport:
    """Bring submission/, code/ and logs/ from the outbox into the attempt's folder; may be repeated."""
    aside = folder.path / "collected"
    report = collect_outbox(folder.outbox, aside, int(limit_gb * _GB), MAX_FILES)
    for name in OUTPUTS:
        target = folder.path / name
        shutil.rmtree(target, ignore_errors=True)
        (aside / name).replace(target)
    aside.rmdir()
    return report
