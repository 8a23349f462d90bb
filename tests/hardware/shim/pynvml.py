"""The fake NVML for processes of their own: with this folder first on PYTHONPATH, `import pynvml` finds it.

FAKE_GPUS: how many cards. FAKE_BUSY: a file; while it exists the first card computes (with it, other load is needless).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_nvml import GB, FakeGpu, FakeNvml, NVMLError, cards

__all__ = ["NVMLError"]
nvmlMemory_v2 = FakeNvml.nvmlMemory_v2


class _Timed(FakeNvml):
    """Cards whose energy grows with time, and whose load is what a file says."""

    def nvmlDeviceGetTotalEnergyConsumption(self, card: FakeGpu) -> int:
        return int(time.time() * card.power) % 10**15

    def nvmlDeviceGetUtilizationRates(self, card: FakeGpu) -> Any:
        self._look(card)
        return super().nvmlDeviceGetUtilizationRates(card)

    def nvmlDeviceGetMemoryInfo(self, card: Any, version: int | None = None) -> Any:
        self._look(card)
        return super().nvmlDeviceGetMemoryInfo(card, version)

    def _look(self, card: FakeGpu) -> None:
        busy = card is self.cards[0] and Path(os.environ.get("FAKE_BUSY", "/nonexistent")).exists()
        card.utilisation, card.used = (90, 2 * GB) if busy else (0, 0)


_fake = _Timed(*cards(int(os.environ.get("FAKE_GPUS", "2"))))


def __getattr__(name: str) -> Any:
    return getattr(_fake, name)
