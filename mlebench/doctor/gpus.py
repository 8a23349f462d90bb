"""GPUs: what there is, how each fares, and which attempts hold what."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from mlebench.doctor.finding import Finding, ok, problem, warning
from mlebench.errors import HardwareError
from mlebench.hardware.health import examine_gpus
from mlebench.hardware.held import Held, held_leases
from mlebench.hardware.inventory import GB, Gpu, Inventory, device_title, take_inventory

_ANSWER_SECONDS = 1.5
"""How long a GPU may take to answer; less than the doctor gives the whole check."""


def gpus() -> list[Finding]:
    """The driver, and every GPU with its health."""
    inventory = take_inventory()
    if inventory.no_gpus is not None:
        if driver_present():
            return [problem("GPUs", inventory.no_gpus.rstrip("."), "look at the driver (`dmesg`, `nvidia-smi`)")]
        return [ok("GPUs", "none (there is no NVIDIA driver); attempts run on processors")]
    if not inventory.gpus:
        return [ok("GPUs", "none; attempts run on processors")]
    titles = [device_title(gpu.uuid, inventory) if gpu.uuid else gpu.name for gpu in inventory.gpus]
    shown = ", ".join(f"{titles.count(title)} x {title}" for title in dict.fromkeys(titles))
    verdicts = examine_gpus(inventory, answer_seconds=_ANSWER_SECONDS)
    versions = f"driver {inventory.driver or 'unknown'}, CUDA up to {inventory.cuda or 'unknown'}"
    return [ok("GPUs", f"{shown}; {versions}"), *(_card(gpu, verdicts[gpu.index]) for gpu in inventory.gpus)]


def leases() -> list[Finding]:
    """Who holds which GPUs and processors at the moment."""
    try:
        held = held_leases()
    except HardwareError as error:
        what, _, advice = str(error).rstrip(".").partition("; ")
        return [problem("Leases", what, advice)]
    if not held:
        return [ok("Leases", "no GPU and no processor is held by an attempt")]
    names = _names(take_inventory()) if any(one.gpus for one in held) else {}
    return [_lease(one, names) for one in held]


def driver_present() -> bool:
    """Whether an NVIDIA driver was set up here, answering or not."""
    return any(Path(name).exists() for name in ("/dev/nvidiactl", "/proc/driver/nvidia"))


def _card(gpu: Gpu, complaint: str | None) -> Finding:
    title = f"GPU {gpu.index}"
    if complaint is not None:
        return problem(title, f"{gpu.name} {complaint}", "runs leave it out; reset it, reboot, or have it exchanged")
    detail = f"{gpu.name}, healthy, {gpu.uuid}"
    if gpu.mig and not gpu.mig_devices:
        return warning(title, f"{detail}; MIG mode without a device", "create MIG devices, or switch MIG mode off")
    if gpu.mig:
        parts = ", ".join(f"{one.profile or 'device'} {one.uuid}" for one in gpu.mig_devices)
        detail += f"; leased by MIG device: {parts}"
    elif gpu.used_bytes:
        detail += f"; {gpu.used_bytes / GB:.1f} GB in use"
    return ok(title, detail)


def _names(inventory: Inventory) -> dict[str, str]:
    names = {gpu.uuid: f"GPU {gpu.index}" for gpu in inventory.gpus if gpu.uuid}
    for gpu in inventory.gpus:
        names |= {part.uuid: f"MIG {gpu.index}:{at}" for at, part in enumerate(gpu.mig_devices)}
    return names


def _lease(held: Held, names: dict[str, str]) -> Finding:
    what = [names.get(uuid, uuid) for uuid in held.gpus]
    if held.cpuset:
        what.append(f"processors {held.cpuset}")
    since = held.since.astimezone().strftime("%d %b %H:%M")
    detail = f"{held.owner} holds {', '.join(what)} since {since} (runner {held.pid} of {_user(held.user)})"
    if held.runner_alive:
        return ok("Lease", detail)
    return warning("Lease", f"{detail}; its runner is dead", "resume that run; else it ends with its sandbox")


def _user(number: int) -> str:
    if number == os.getuid():
        return "this user"
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
