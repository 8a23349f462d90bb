"""What an agent writes: watched while it runs, collected when it ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mlebench.errors import SandboxError
from mlebench.running.folders import OUTPUTS, AttemptFolder
from mlebench.sandbox.collect import CollectReport, collect_outbox, outbox_usage

AGENT_LOG_BYTES = 100_000_000
MAX_FILES = 200_000
_GB = 1024**3
_WATCH_SECONDS = 5.0
_ELSEWHERE_SECONDS = 60.0


class DiskWatch:
    """Says when what the agent wrote is over its limit. Looks every few seconds, and rarer where looking takes long."""

    def __init__(self, outbox: Path, limit_gb: float, elsewhere: Callable[[], int] = lambda: 0) -> None:
        """`elsewhere`: bytes that it wrote outside its outbox; asked about rarely, may raise SandboxError."""
        self._limit = limit_gb * _GB
        self._outbox = _Measure(lambda: outbox_usage(outbox), _WATCH_SECONDS)
        self._elsewhere = _Measure(elsewhere, _ELSEWHERE_SECONDS, first=_ELSEWHERE_SECONDS)
        self.message = f"The agent was ended because it wrote more than {limit_gb:g} GB."

    def full(self) -> bool:
        """Whether the limit was exceeded, as of the last look."""
        return self._outbox.value() + self._elsewhere.value() > self._limit


class _Measure:
    """A number that takes time to learn, asked for every so many seconds."""

    def __init__(self, learn: Callable[[], int], every_seconds: float, first: float = 0.0) -> None:
        self._learn = learn
        self._every = every_seconds
        self._next = time.monotonic() + first
        self._known = 0

    def value(self) -> int:
        now = time.monotonic()
        if now >= self._next:
            with suppress(SandboxError):
                self._known = self._learn()
            self._next = now + max(self._every, 20 * (time.monotonic() - now))
        return self._known


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
