"""Several runners on one machine do anything in any order, die and come back: nothing is ever held twice, nor lost."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fake_nvml import FakeGpu, FakeMig, FakeNvml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from mlebench.hardware import ledger, nvml, stale
from mlebench.hardware.api import Lease, Share, SharePolicy
from mlebench.hardware.health import Health
from mlebench.hardware.inventory import Gpu, Inventory, MigDevice
from mlebench.hardware.leases import Leases
from mlebench.hardware.processors import parse_cpuset

INVENTORY = Inventory(
    cpus=tuple(range(6)),
    numa={0: (0, 1, 2), 1: (3, 4, 5)},
    gpus=(
        Gpu(index=0, uuid="GPU-0", numa_node=0),
        Gpu(index=1, uuid="GPU-1", numa_node=1),
        Gpu(index=2, uuid="GPU-2", mig=True, mig_devices=(MigDevice(uuid="MIG-0"), MigDevice(uuid="MIG-1"))),
    ),
)
DEVICES = ("GPU-0", "GPU-1", "MIG-0", "MIG-1")
POLICIES = [
    SharePolicy(concurrency=2, gpus_per_attempt=1),
    SharePolicy(concurrency=2, gpus_per_attempt=2),
    SharePolicy(concurrency=2, gpus_per_attempt=1, attempts_per_gpu=2),
    SharePolicy(concurrency=2, gpus_per_attempt=1, attempts_per_gpu=3),
    SharePolicy(concurrency=2, gpus_per_attempt=1, pin_cpus=True, cpus=2),
    SharePolicy(concurrency=2, pin_cpus=True, cpus=1),
]


@dataclass
class Attempt:
    """What truly uses the machine: a sandbox, whatever its runner believes."""

    name: str
    share: Share
    places: int
    runs: bool = False
    """Whether its sandbox is there; it comes some time after the lease."""
    lease: Lease | None = None
    """None while no living runner holds it."""

    @property
    def in_use(self) -> bool:
        return self.runs or self.lease is not None


@dataclass
class Runner:
    policy: SharePolicy
    desk: Leases
    alive: bool = True
    attempts: dict[str, Attempt] = field(default_factory=dict)


class Machine(RuleBasedStateMachine):
    runners = Bundle("runners")
    attempts = Bundle("attempts")

    @initialize()
    def begin(self) -> None:
        self.patch = pytest.MonkeyPatch()
        # All runners are this process, so that only the locks on their files tell them apart.
        self.patch.setattr(ledger, "_runs", lambda record: False)
        self.patch.setattr(stale, "ASK_AGAIN_SECONDS", 0.0)
        self.patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        self.cards = [FakeGpu("GPU-0"), FakeGpu("GPU-1"), FakeGpu("GPU-2", mig=[FakeMig("MIG-0"), FakeMig("MIG-1")])]
        nvml.use(FakeNvml(*self.cards))
        self.temporary = tempfile.TemporaryDirectory()
        self.all: dict[str, Attempt] = {}
        self.fleet: list[Runner] = []
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "temporary"):
            for attempt in self.all.values():
                if attempt.lease is not None:
                    attempt.lease.release()
            self.temporary.cleanup()
            self.patch.undo()
            nvml.use(None)

    def desk(self, policy: SharePolicy) -> Leases:
        return Leases(
            policy,
            living=lambda name: name in self.all and self.all[name].runs,
            folder=Path(self.temporary.name),
            inventory=INVENTORY,
            health=Health(fresh_seconds=0.0),
            settle_seconds=0.0,
        )

    @rule(target=runners, policy=st.sampled_from(POLICIES))
    def start_runner(self, policy: SharePolicy) -> Runner:
        runner = Runner(policy, self.desk(policy))
        self.fleet.append(runner)
        return runner

    @rule(target=attempts, runner=runners)
    def take(self, runner: Runner) -> object:
        if not runner.alive:
            return multiple()
        self.count += 1
        name = f"attempt-{self.count}"
        lease = runner.desk.take(name)
        if lease is None:
            assert not self.enough_for(runner.policy), "something was free"
            return multiple()
        attempt = Attempt(name, lease.share, runner.policy.attempts_per_gpu, lease=lease)
        runner.attempts[name] = self.all[name] = attempt
        return attempt

    @rule(attempt=attempts)
    def start_sandbox(self, attempt: Attempt) -> None:
        if attempt.lease is not None:
            attempt.runs = True

    @rule(attempt=attempts)
    def another_runner_asks_in_its_name(self, attempt: Attempt) -> None:
        if attempt.lease is not None:
            assert self.desk(POLICIES[0]).take(attempt.name) is None

    @rule(attempt=attempts)
    def take_again(self, attempt: Attempt) -> None:
        for runner in self.fleet:
            if runner.alive and attempt.name in runner.attempts and attempt.lease is not None:
                again = runner.desk.take(attempt.name)
                assert again is not None and again.share == attempt.share

    @rule(attempt=consumes(attempts))
    def finish(self, attempt: Attempt) -> None:
        """The sandbox ends, then its runner, if it has one, gives the share back."""
        attempt.runs = False
        if attempt.lease is not None:
            attempt.lease.release()
            attempt.lease.release()
            attempt.lease = None
        self.all.pop(attempt.name, None)
        for runner in self.fleet:
            runner.attempts.pop(attempt.name, None)

    @rule(runner=runners)
    def kill(self, runner: Runner) -> None:
        """kill -9: the kernel closes the files; sandboxes live on."""
        if not runner.alive:
            return
        runner.alive = False
        for attempt in runner.attempts.values():
            attempt.lease = None
        for file in [lease.file for lease in runner.desk._mine.values()]:
            ledger.close_lease(file)

    @rule(target=runners, runner=consumes(runners))
    def resume(self, runner: Runner) -> object:
        """A new process takes over what still runs."""
        if runner.alive:
            return runner
        fresh = Runner(runner.policy, self.desk(runner.policy), attempts=runner.attempts)
        fresh.attempts = {name: attempt for name, attempt in fresh.attempts.items() if attempt.in_use}
        for attempt in fresh.attempts.values():
            attempt.lease = fresh.desk.adopt(attempt.name, attempt.share)
            assert attempt.lease.share == attempt.share
        self.fleet.remove(runner)
        self.fleet.append(fresh)
        return fresh

    @rule(card=st.integers(0, 2), broken=st.booleans())
    def break_or_mend(self, card: int, broken: bool) -> None:
        self.cards[card].rows = (0, 0, 0, int(broken))

    @rule()
    def tidy_up(self) -> None:
        (Path(self.temporary.name) / "lock").unlink(missing_ok=True)

    @invariant()
    def nothing_is_held_twice(self) -> None:
        if not hasattr(self, "all"):
            return
        devices: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        cpus: list[int] = []
        for attempt in self.in_use():
            slots = attempt.share.slots or [0] * len(attempt.share.gpus)
            for device, slot in zip(attempt.share.gpus, slots, strict=True):
                devices[device].append((attempt.places, slot))
            cpus.extend(parse_cpuset(attempt.share.cpuset or ""))
        assert len(cpus) == len(set(cpus)), "a processor was pinned twice"
        for device, holders in devices.items():
            assert len(holders) <= min(places for places, _ in holders), device
            assert len({slot for _, slot in holders}) == len(holders), device

    def in_use(self) -> list[Attempt]:
        return [attempt for attempt in self.all.values() if attempt.in_use]

    def enough_for(self, policy: SharePolicy) -> bool:
        """Whether what nobody uses would do, on healthy devices."""
        used: defaultdict[str, list[int]] = defaultdict(list)
        pinned: set[int] = set()
        for attempt in self.in_use():
            for device in attempt.share.gpus:
                used[device].append(attempt.places)
            pinned.update(parse_cpuset(attempt.share.cpuset or ""))
        if policy.pin_cpus and 6 - len(pinned) < int(policy.cpus or 1):
            return False
        healthy = [
            device
            for device, card in zip(DEVICES, (*self.cards[:2], self.cards[2], self.cards[2]), strict=True)
            if not card.rows[3]
        ]
        if policy.attempts_per_gpu > 1:
            return any(
                len(used[device]) < min([policy.attempts_per_gpu, *used[device]]) and 1 not in used[device]
                for device in healthy
            )
        return sum(not used[device] for device in healthy) >= policy.gpus_per_attempt


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
