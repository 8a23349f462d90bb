"""Shares of the machine, leased to attempts: GPUs, MIG devices, places on shared GPUs, processors.

A lease belongs to a sandbox, not to the runner: it is over when it is released, or when its runner is dead *and* the
sandbox no longer runs. Other runners respect it until then; a resumed runner adopts it.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from mlebench.errors import HardwareError
from mlebench.hardware import assign, processors
from mlebench.hardware.api import Living, Share, SharePolicy
from mlebench.hardware.health import Health
from mlebench.hardware.inventory import GB, Gpu, Inventory, memory_share_gb, take_inventory
from mlebench.hardware.ledger import Entry, Hold, Ledger, Record, close_lease, new_record
from mlebench.hardware.stale import SETTLE_SECONDS, StaleLeases


class Leases:
    """Hands out shares (mlebench.hardware.api.LeaseDesk); one a runner, thread-safe."""

    def __init__(
        self,
        policy: SharePolicy,
        *,
        living: Living,
        folder: Path | None = None,
        inventory: Inventory | None = None,
        health: Health | None = None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """`living` says of a sandbox's name whether it exists still; an error of it counts as yes."""
        self._policy = policy
        self._ledger = Ledger(folder)
        self._stale = StaleLeases(self._ledger, living, settle_seconds)
        self._inventory = inventory
        self._health = health or Health()
        self._lock = threading.Lock()
        self._mine: dict[str, _Lease] = {}
        self._left_out: dict[str, str] = {}
        self._foreign = ""

    @property
    def inventory(self) -> Inventory:
        """The machine as it was when first asked for."""
        with self._lock:
            if self._inventory is None:
                self._inventory = take_inventory()
            return self._inventory

    @property
    def left_out(self) -> list[str]:
        """One sentence for each GPU that is not leased because something is wrong with it, as last looked at."""
        with self._lock:
            looked_at = self._inventory.gpus if self._inventory and self._policy.gpus_per_attempt > 0 else ()
            broken = [f"{gpu.title} {gpu.fault}." for gpu in looked_at if gpu.fault]
            return [*broken, *self._left_out.values()]

    def waiting_for(self) -> str:
        """Why nothing was free when last asked, as far as this runner's own attempts are not the reason; else ""."""
        with self._lock:
            holders = self._foreign
        reasons = [f"other runs hold what was asked for ({holders})"] if holders else []
        return "; ".join([*reasons, *(sentence.rstrip(".") for sentence in self.left_out)])

    def _note_foreign(self, others: Sequence[Record]) -> None:
        with self._lock:
            names = sorted(record.owner for record in others if record.owner not in self._mine)
            self._foreign = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    @cached_property
    def _cores(self) -> dict[int, int]:
        return processors.cores(self.inventory.cpus)

    def check(self) -> None:
        """Raise HardwareError, in one sentence, when this machine can never give what the policy asks for."""
        policy = self._policy
        if policy.attempts_per_gpu > 1 and policy.gpus_per_attempt != 1:
            raise HardwareError("Attempts can share GPUs only when each attempt asks for exactly one GPU.")
        self._check_amounts()
        if policy.pin_cpus and self._pinned() * policy.concurrency > self._usable_cpus():
            raise HardwareError(
                f"Attempts cannot have processors of their own: {policy.concurrency} at a time with {self._pinned()} each "
                f"do not fit on {self._usable_cpus()}; ask for fewer, or do not pin."
            )
        if policy.gpus_per_attempt > 0:
            self._check_gpus()
        if self._keeps_records:
            with self._ledger.locked():
                pass

    def take(self, owner: str) -> _Lease | None:
        """A share for `owner` (a sandbox name), or None while all GPUs (or processors) are held or unhealthy.

        An owner that holds a share already gets the same one. HardwareError where leases cannot be kept.
        """
        if not self._keeps_records:
            return _Lease(self._share((), None), lambda: None)
        with self._lock:
            if owner in self._mine:
                return self._mine[owner]
        _ = self.inventory, self._cores  # looked at before anybody waits for the folder
        self._stale.clear(but=owner)
        sound: set[str] = set()
        unsound: set[str] = set()
        while True:
            with self._ledger.locked():
                entries = self._ledger.entries()
                own = next((entry for entry in entries if entry.record.owner == owner), None)
                if own is not None and own.alive:
                    return None
                others = [entry.record for entry in entries if entry is not own and not self._stale.passed_over(entry)]
                choice = self._choose(others, own, unsound)
                if choice is None:
                    self._note_foreign(others)
                    return None
                holds, cpuset = choice
                if sound.issuperset(hold.device for hold in holds):
                    return self._enter(new_record(owner, holds, cpuset))
            # GPUs are asked while nobody waits for the folder: a broken one may take its time.
            before = {hold.device for hold in own.record.holds} if own is not None else set()
            for device in {hold.device for hold in holds} - sound:
                (sound if self._is_sound(device, used_before=device in before) else unsound).add(device)

    def adopt(self, owner: str, share: Share) -> _Lease:
        """Hold again what an attempt that was taken over already uses, whoever else may claim it."""
        if not share.gpus and share.cpuset is None:
            return _Lease(share, lambda: None)
        with self._lock:
            if owner in self._mine:
                return self._mine[owner]
        with self._ledger.locked():
            known = {
                hold.device: hold.places
                for entry in self._ledger.entries()
                if entry.record.owner == owner
                for hold in entry.record.holds
            }
            holds = tuple(
                Hold(device=device, slot=slot or 0, places=1 if slot is None else self._places(known.get(device), slot))
                for device, slot in zip(share.gpus, _padded(share.slots, len(share.gpus)), strict=True)
            )
            return self._enter(new_record(owner, holds, share.cpuset), share)

    @property
    def _keeps_records(self) -> bool:
        """Whether there is anything to lease: without GPUs and pinned processors nothing is written or locked."""
        return self._policy.gpus_per_attempt > 0 or self._policy.pin_cpus

    def _enter(self, record: Record, share: Share | None = None) -> _Lease:
        """Write the lease down; the folder is locked."""
        share = share or self._share(record.holds, record.cpuset)
        file = self._ledger.write(record)

        def give_back() -> None:
            with self._lock:
                if self._mine.get(record.owner) is lease:
                    del self._mine[record.owner]
            for hold in record.holds:
                self._health.forget(hold.device)
            try:
                with self._ledger.locked():
                    self._ledger.remove_own(record.owner, record.token, file)
            except HardwareError:
                close_lease(file)  # the folder is gone, and the record with it

        lease = _Lease(share, give_back, file)
        with self._lock:
            self._mine[record.owner] = lease
        return lease

    def _share(self, holds: Sequence[Hold], cpuset: str | None) -> Share:
        policy = self._policy
        memory = policy.memory_gb
        return Share(
            gpus=[hold.device for hold in holds],
            slots=[hold.slot for hold in holds if hold.places > 1],
            cpuset=cpuset,
            cpus=policy.cpus,
            memory_gb=memory_share_gb(policy.concurrency, self.inventory) if memory is None else memory,
        )

    def _choose(
        self, others: Sequence[Record], own: Entry | None, unsound: set[str]
    ) -> tuple[tuple[Hold, ...], str | None] | None:
        """Devices and processors that no other lease names; None while there are not enough."""
        policy = self._policy
        holds: tuple[Hold, ...] = ()
        offered: list[assign.Device] = []
        if policy.gpus_per_attempt > 0:
            offered = [
                device for device in assign.offered(self.inventory, self._policy.gpus) if device.id not in unsound
            ]
            if own is not None and own.record.holds:
                # What the owner had before comes first: its old sandbox may be there still.
                had = {hold.device for hold in own.record.holds}
                offered.sort(key=lambda device: device.id not in had)
            held = [hold for record in others for hold in record.holds]
            found = assign.pick_devices(offered, held, policy.gpus_per_attempt, policy.attempts_per_gpu)
            if found is None:
                return None
            holds = found
        if not policy.pin_cpus:
            return holds, None
        taken = {hold.device for hold in holds}
        near = list(dict.fromkeys(device.numa_node for device in offered if device.id in taken))
        usable = self.inventory.cpus
        cpus = assign.pick_cpus(
            usable,
            frozenset(cpu for record in others for cpu in processors.parse_cpuset(record.cpuset or "")),
            self._pinned(),
            [node for node in near if node is not None],
            self.inventory.numa,
            self._cores,
        )
        return None if cpus is None else (holds, processors.format_cpuset(cpus))

    def _check_amounts(self) -> None:
        """Engines refuse too many processors only when an attempt starts, and take any amount of memory for granted."""
        cpus, memory = self._policy.cpus, self._policy.memory_gb
        if cpus is not None and self.inventory.cpus and cpus > len(self.inventory.cpus):
            raise HardwareError(
                f"Each attempt asks for {cpus:g} processors, and this machine has {len(self.inventory.cpus)}; "
                "ask for fewer with --cpus."
            )
        there = self.inventory.memory_bytes
        if memory is not None and there is not None and memory * GB > there:
            raise HardwareError(
                f"Each attempt asks for {memory:g} GB of memory, and this machine has {there / GB:.1f} GB; "
                "ask for less with --memory."
            )

    def _check_gpus(self) -> None:
        if self.inventory.no_gpus is not None:
            raise HardwareError(self.inventory.no_gpus)
        offered = assign.offered(self.inventory, self._policy.gpus)
        healthy = [device for device in offered if self._is_sound(device.id, used_before=True)]
        needed = self._policy.gpus_per_attempt
        if len(healthy) >= needed:
            return
        reasons = [sentence.rstrip(".") for sentence in self.left_out]
        reasons += [f"{gpu.title} is in MIG mode without a device" for gpu in self.inventory.gpus if _uncut(gpu)]
        why = f" ({'; '.join(dict.fromkeys(reasons))})" if reasons else ""
        have = f"only {len(healthy)}" if healthy else "none"
        raise HardwareError(
            f"Each attempt asks for {needed} GPU{'' if needed == 1 else 's'}, and {have} can be used on this machine{why}."
        )

    def _is_sound(self, device: str, *, used_before: bool) -> bool:
        """Look at a device; what is wrong with it is kept for `left_out`."""
        alone = self._policy.attempts_per_gpu == 1 and not used_before
        complaint = self._health.complaint(device, exclusive=alone)
        with self._lock:
            if complaint is None:
                self._left_out.pop(device, None)
            else:
                self._left_out[device] = f"{self._title(device)} {complaint}."
        return complaint is None

    def _title(self, device: str) -> str:
        inventory = self._inventory or Inventory(cpus=())
        return next((known.title for known in assign.devices(inventory) if known.id == device), device)

    def _pinned(self) -> int:
        """Processors that each attempt gets for its own."""
        if self._policy.cpus is not None:
            return max(1, math.ceil(self._policy.cpus))
        return max(1, self._usable_cpus() // self._policy.concurrency)

    def _usable_cpus(self) -> int:
        return max(1, math.floor(self.inventory.processors))

    def _places(self, known: int | None, slot: int) -> int:
        return max(2, self._policy.attempts_per_gpu, known or 0, slot + 1)


class _Lease:
    """A share that is held (mlebench.hardware.api.Lease)."""

    def __init__(self, share: Share, give_back: Callable[[], None], file: int | None = None) -> None:
        self.share = share
        self.file = file
        """The open file whose lock says that this process lives; None where nothing is written down."""
        self._give_back: Callable[[], None] | None = give_back
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def release(self) -> None:
        """Give it back; harmless when done twice, and in a forked child."""
        with self._lock:
            give_back, self._give_back = self._give_back, None
        if give_back is not None and os.getpid() == self._pid:
            give_back()


def _padded(slots: Sequence[int], length: int) -> list[int | None]:
    return [*slots, *[None] * (length - len(slots))][:length]


def _uncut(gpu: Gpu) -> bool:
    return gpu.mig and not gpu.mig_devices
