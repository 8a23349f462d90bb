"""Resident memory of the runner over time, and whether it is flat."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """The runner's memory at a moment."""

    done: int
    """Attempts that were done by then."""
    mb: float


class Sampler:
    """Looks at a process until it ends or `stop` is called."""

    def __init__(self, pid: int, done: Callable[[], int]) -> None:
        self._pid = pid
        self._done = done
        self._over = threading.Event()
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak_mb(self) -> float:
        return max((one.mb for one in self.samples), default=0.0)

    def _watch(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            try:
                pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                return
            self.samples.append(Sample(self._done(), pages * _PAGE / 2**20))


def growth(samples: list[Sample], attempts: int) -> tuple[float, float]:
    """Median memory (MB) while the second quarter of the attempts was done, and while the last quarter was.

    The first quarter is left out: imports, threads and pools of connections are made then. NaN without samples.
    """

    def median(first: float, last: float) -> float:
        found = [one.mb for one in samples if first * attempts <= one.done < last * attempts]
        return statistics.median(found) if found else float("nan")

    return median(0.25, 0.5), median(0.75, 1.0)
