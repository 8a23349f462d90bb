"""What the runner asks of the machine: a share of it for each attempt, held while the attempt runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Share(BaseModel):
    """What one attempt gets of the machine; kept in the run store, so that an adopted attempt holds it still."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    gpus: list[str] = []
    """Device ids as container engines take them: GPU-<uuid> or MIG-<uuid>."""
    slots: list[int] = []
    """For packed GPUs: which of a GPU's places, one for each entry of `gpus`."""
    cpuset: str | None = None
    """Processor numbers such as "0-3,8"; None leaves them all."""
    cpus: float | None = None
    """Processors' worth of time; None is no limit."""
    memory_gb: float | None = None


@dataclass(frozen=True)
class SharePolicy:
    """How a run divides the machine."""

    concurrency: int
    gpus_per_attempt: int = 0
    attempts_per_gpu: int = 1
    """1: exclusive. More: that many attempts share a GPU (only with gpus_per_attempt = 1)."""
    gpus: tuple[str, ...] = ()
    """Devices to choose from, as index, uuid or MIG id; empty takes all that are healthy."""
    cpus: float | None = None
    memory_gb: float | None = None
    """Given by the user; None derives an equal share of the memory for each of `concurrency` attempts.
    `cpus` None is no limit (with `pin_cpus`: an equal share of the processors)."""
    pin_cpus: bool = False
    """Whether attempts get processors of their own (near their GPU where the machine tells) instead of a share of time."""


class Telemetry(BaseModel):
    """What an attempt used of its GPUs: totals of telemetry.jsonl."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    gpus: list[str] = []
    """Models, such as "NVIDIA H200"."""
    driver: str | None = None
    samples: int = 0
    utilisation_mean: float | None = None
    """Per cent, over samples and GPUs."""
    memory_peak_gb: float | None = None
    """Highest of the sum over its GPUs."""
    energy_kwh: float | None = None
    """From the GPUs' own energy counters, else integrated power."""
    shared: bool = False
    """Whether other attempts had places on the same GPUs: the figures are the GPUs', not this attempt's alone."""


class Lease(Protocol):
    """A share that is held."""

    share: Share

    def release(self) -> None:
        """Give it back; harmless when done twice."""
        ...


class LeaseDesk(Protocol):
    """Hands out shares (mlebench.hardware.leases.Leases); one a runner, thread-safe, other processes respected."""

    def take(self, owner: str) -> Lease | None:
        """A share for `owner` (a sandbox name), or None while all GPUs are held or unhealthy."""
        ...

    def waiting_for(self) -> str:
        """What else than the runner's own attempts kept `take` from a share when it last gave none; may be empty."""
        ...

    def adopt(self, owner: str, share: Share) -> Lease:
        """Hold again what an attempt that was taken over already uses."""
        ...


Living = Callable[[str], bool]
"""Says whether the sandbox of this name still runs: a lease outlives its runner as long as it does."""
