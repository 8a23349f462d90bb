"""The machine as a run divides it among its attempts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlebench.running.records import RunConfig
from mlebench.sandbox.base import Sandbox

if TYPE_CHECKING:
    from mlebench.hardware.leases import Leases


def open_leases(config: RunConfig, sandbox: Sandbox, concurrency: int | None = None) -> Leases:
    """What hands out shares of the machine; looks at nothing yet. `concurrency`: another one than the run's own."""
    from mlebench.hardware.api import SharePolicy
    from mlebench.hardware.leases import Leases

    policy = SharePolicy(
        concurrency=concurrency or config.concurrency,
        gpus_per_attempt=config.gpus_per_attempt,
        attempts_per_gpu=config.attempts_per_gpu,
        gpus=tuple(config.gpus),
        cpus=config.cpus,
        memory_gb=config.memory_gb,
        pin_cpus=config.pin_cpus,
    )
    return Leases(policy, living=sandbox.alive_named)


def check_machine(config: RunConfig, image: str, sandbox: Sandbox) -> None:
    """Raise HardwareError or SandboxError when machine, engine and image cannot give an attempt what it is to get."""
    leases = open_leases(config, sandbox)
    leases.check()
    probe = leases.take(f"mlebench-check-{os.getpid()}") if config.gpus_per_attempt else None
    try:
        # While others hold every GPU, whether the engine can hand one over shows at the first attempt.
        sandbox.check(image, config.runtime, probe.share.gpus if probe is not None else ())
    finally:
        if probe is not None:
            probe.release()
