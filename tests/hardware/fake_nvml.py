"""NVML without a GPU: an object with the binding's functions over cards that tests make, change and break at will.

Answers have the types and units of nvidia-ml-py: strings, lists, structures with the same fields, mW, mJ, bytes; and
what real cards refuse (utilisation, power and energy of MIG devices, say) is refused with the same error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

NOT_SUPPORTED, NOT_FOUND, LOST, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, UNKNOWN = 3, 6, 15, 9, 12, 999
GB = 1024**3
_WORDS = {3: "Not Supported", 6: "Not Found", 9: "Driver Not Loaded", 12: "NVML Shared Library Not Found"} | {
    15: "GPU is lost",
    999: "Unknown Error",
}


class NVMLError(Exception):
    """Like the binding's: carries the code."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return _WORDS.get(self.value, f"NVML Error with code {self.value}")


@dataclass(eq=False)
class FakeMig:
    """A MIG device."""

    uuid: str
    profile: str = "1g.18gb"
    memory: int = 18 * GB
    used: int = 15 * 1024**2
    card: FakeGpu | None = None


@dataclass(eq=False)
class FakeGpu:
    """A card. `faults` maps a function's name to the code it fails with; `hang` makes every question wait."""

    uuid: str
    name: str = "NVIDIA H200"
    memory: int = 143771 * 1024**2
    reserved: int = 600 * 1024**2
    used: int = 0
    utilisation: int = 0
    power: int = 75_000
    energy: int = 1_000_000
    temperature: int = 35
    slowdown: int | None = 92
    rows: tuple[int, int, int, int] = (0, 0, 0, 0)
    ecc: int = 0
    retired_pending: int = 0
    bus: str = "00000000:3B:00.0"
    mig: list[FakeMig] | None = None
    slots: int = 7
    lost: bool = False
    faults: dict[str, int] = field(default_factory=dict)
    hang: threading.Event | None = None

    def __post_init__(self) -> None:
        for part in self.mig or []:
            part.card = self


class FakeNvml:
    """The binding. `calls` counts every question by name."""

    NVMLError = NVMLError
    nvmlMemory_v2 = 0x02000028

    def __init__(self, *cards: FakeGpu, init: int = 0, driver: str = "570.86.15") -> None:
        self.cards = list(cards)
        self.init = init
        self.driver = driver
        self.calls: dict[str, int] = {}
        self.threads: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if not name.startswith("nvml") or not callable(found):
            return found

        def counted(*args: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.threads.add(threading.current_thread().name)
            for argument in args:
                if isinstance(argument, FakeGpu | FakeMig):
                    _meet(argument, name)
            return found(*args)

        return counted

    def nvmlInit(self) -> None:
        if self.init:
            raise NVMLError(self.init)

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlSystemGetDriverVersion(self) -> str:
        return self.driver

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return 12080

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        if not 0 <= index < len(self.cards):
            raise NVMLError(2)
        _meet(self.cards[index], "nvmlDeviceGetHandleByIndex")
        return self.cards[index]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> FakeGpu | FakeMig:
        for card in self.cards:
            for one in [card, *(card.mig or [])]:
                if one.uuid == uuid:
                    _meet(one, "nvmlDeviceGetHandleByUUID")
                    return one
        raise NVMLError(NOT_FOUND)

    def nvmlDeviceGetUUID(self, one: FakeGpu | FakeMig) -> str:
        return one.uuid

    def nvmlDeviceGetName(self, one: FakeGpu | FakeMig) -> str:
        return one.name if isinstance(one, FakeGpu) else f"{one.card and one.card.name} MIG {one.profile}"

    def nvmlDeviceGetPciInfo(self, card: FakeGpu) -> Any:
        return SimpleNamespace(busId=card.bus)

    def nvmlDeviceGetMemoryInfo(self, one: FakeGpu | FakeMig, version: int | None = None) -> Any:
        reserved = one.reserved if isinstance(one, FakeGpu) else 0
        used = one.used if version else one.used + reserved
        return SimpleNamespace(total=one.memory, used=used, free=one.memory - one.used - reserved, reserved=reserved)

    def nvmlDeviceGetMigMode(self, card: FakeGpu) -> list[int]:
        return [int(card.mig is not None)] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, card: FakeGpu) -> int:
        return card.slots

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: FakeGpu, position: int) -> FakeMig:
        if position >= len(card.mig or []):
            raise NVMLError(NOT_FOUND)
        return (card.mig or [])[position]

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, part: FakeMig) -> FakeGpu:
        if not isinstance(part, FakeMig) or part.card is None:
            raise NVMLError(2)
        return part.card

    def nvmlDeviceGetAttributes(self, part: FakeMig) -> Any:
        return SimpleNamespace(gpuInstanceSliceCount=int(part.profile[0]), memorySizeMB=part.memory // 1024**2)

    def nvmlDeviceGetRemappedRows(self, card: FakeGpu) -> tuple[int, int, int, int]:
        return _card(card).rows

    def nvmlDeviceGetRetiredPagesPendingStatus(self, card: FakeGpu) -> int:
        return _card(card).retired_pending

    def nvmlDeviceGetTotalEccErrors(self, card: FakeGpu, kind: int, counter: int) -> int:
        assert (kind, counter) == (1, 0), "uncorrected, volatile"
        return _card(card).ecc

    def nvmlDeviceGetTemperature(self, card: FakeGpu, sensor: int) -> int:
        return _card(card).temperature

    def nvmlDeviceGetTemperatureThreshold(self, card: FakeGpu, kind: int) -> int:
        assert kind == 1, "slowdown"
        slowdown = _card(card).slowdown
        if slowdown is None:
            raise NVMLError(NOT_SUPPORTED)
        return slowdown

    def nvmlDeviceGetUtilizationRates(self, card: FakeGpu) -> Any:
        return SimpleNamespace(gpu=_card(card).utilisation, memory=0)

    def nvmlDeviceGetPowerUsage(self, card: FakeGpu) -> int:
        return _card(card).power

    def nvmlDeviceGetTotalEnergyConsumption(self, card: FakeGpu) -> int:
        return _card(card).energy


def _card(one: FakeGpu | FakeMig) -> FakeGpu:
    """Questions that MIG devices do not answer."""
    if isinstance(one, FakeMig):
        raise NVMLError(NOT_SUPPORTED)
    return one


def _meet(one: FakeGpu | FakeMig, name: str) -> None:
    """Whatever keeps the card from answering."""
    card = one.card if isinstance(one, FakeMig) else one
    if card is None:
        return
    if card.hang is not None:
        card.hang.wait(30)
    if card.lost:
        raise NVMLError(LOST)
    if name in card.faults:
        raise NVMLError(card.faults[name])


def cards(count: int, **options: Any) -> list[FakeGpu]:
    """So many equal cards on buses of their own."""
    return [FakeGpu(f"GPU-{number:08d}", bus=f"00000000:{number + 16:02X}:00.0", **options) for number in range(count)]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; a test that waits in vain fails."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
