"""What this machine has: processors, memory and GPUs, as far as this process may use them."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mlebench.errors import HardwareError
from mlebench.hardware import nvml, processors
from mlebench.hardware.api import Share
from mlebench.hardware.asking import Question

GB = 1024**3
ANSWER_SECONDS = 60.0
"""How long driver and GPUs may take to tell what they are; waking many cards takes its time."""
SHARED_PART = 0.9
"""Part of the memory that attempts get together; the rest is for the runner, the graders and the host."""


class MigDevice(BaseModel):
    """A part of a GPU that is a device of its own."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    uuid: str
    profile: str | None = None
    """Such as "1g.18gb"."""
    memory_bytes: int | None = None


class Gpu(BaseModel):
    """One GPU, or what could be learnt of it."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    index: int
    """NVML's number (the order of PCI buses), as nvidia-smi shows it."""
    uuid: str | None = None
    """GPU-...; None for a GPU that does not even tell its name."""
    name: str = "unknown GPU"
    memory_bytes: int | None = None
    used_bytes: int | None = None
    """Memory taken at that moment."""
    mig: bool = False
    """Whether it is cut into MIG devices: then they are leased, not the GPU."""
    mig_devices: tuple[MigDevice, ...] = ()
    pci_bus: str | None = None
    numa_node: int | None = None
    fault: str | None = None
    """What keeps it from being looked at, completing "GPU 3 ..."."""

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"GPU {self.index} ({self.name})"


class Inventory(BaseModel):
    """The machine, at one moment."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    cpus: tuple[int, ...]
    """Numbers of the processors this process may run on."""
    cpu_quota: float | None = None
    """Processors' worth of time that control groups allow."""
    numa: dict[int, tuple[int, ...]] = {}
    """NUMA nodes and their processors (all of them, not only the usable ones)."""
    memory_bytes: int | None = None
    """What this process may use: the machine's memory, or less where a control group says so."""
    gpus: tuple[Gpu, ...] = ()
    driver: str | None = None
    cuda: str | None = None
    """Newest CUDA version that the driver runs."""
    no_gpus: str | None = None
    """Why GPUs could not be looked at, in one sentence; None where they could."""

    @property
    def processors(self) -> float:
        """Processors' worth of time that can be used at most."""
        return min(float(len(self.cpus)), self.cpu_quota or float("inf"))

    def device(self, uuid: str) -> tuple[Gpu, MigDevice | None] | None:
        """The GPU with this id, or the MIG device and the GPU it is a part of."""
        for gpu in self.gpus:
            if gpu.uuid == uuid:
                return gpu, None
            for part in gpu.mig_devices:
                if part.uuid == uuid:
                    return gpu, part
        return None


def take_inventory() -> Inventory:
    """Look at the machine. Never fails: what cannot be looked at is left out, with the reason."""
    total, limit = processors.memory_total(), processors.memory_limit()
    known: dict[str, Any] = {
        "cpus": processors.usable_cpus(),
        "cpu_quota": processors.cpu_quota(),
        "numa": {node.number: node.cpus for node in processors.numa_nodes()},
        "memory_bytes": min((bytes_ for bytes_ in (total, limit) if bytes_ is not None), default=None),
    }
    question = Question(_gpu_facts, "inventory of GPUs")
    try:
        if question.wait(ANSWER_SECONDS):
            known |= question.answer()
        else:
            known["no_gpus"] = f"No GPU can be used: the NVIDIA driver did not answer within {ANSWER_SECONDS:g} s."
    except HardwareError as error:
        known["no_gpus"] = str(error)
    except nvml.DeviceFaultError as error:
        known["no_gpus"] = f"No GPU can be used: the NVIDIA driver {error}."
    return Inventory(**known)


def memory_share_gb(concurrency: int, inventory: Inventory | None = None) -> float | None:
    """An equal share of the usable memory (in GB of 1024**3 bytes) for each of `concurrency` attempts.

    None where the memory cannot be told. Without a limit one greedy attempt would take down the others, the runner
    and the host with it.
    """
    if inventory is not None:
        usable = inventory.memory_bytes
    else:
        amounts = (processors.memory_total(), processors.memory_limit())
        usable = min((amount for amount in amounts if amount is not None), default=None)
    return None if usable is None else max(0.1, round(SHARED_PART * usable / GB / concurrency, 1))


def hardware_line(share: Share, inventory: Inventory) -> str:
    """One line for prompts and reports: "2 CPUs, 8.0 GB memory, no GPU", "..., 1 x NVIDIA H200 (139 GB)"."""
    if share.cpus is not None:
        cpus = share.cpus
    elif share.cpuset is not None:
        cpus = float(len(processors.parse_cpuset(share.cpuset)))
    else:
        cpus = inventory.processors
    parts = [f"{cpus:g} CPU{'' if cpus == 1 else 's'}"]
    memory = share.memory_gb or (inventory.memory_bytes / GB if inventory.memory_bytes else None)
    if memory is not None:
        parts.append(f"{memory:.1f} GB memory")
    names = [device_title(uuid, inventory) for uuid in share.gpus]
    gpus = [f"{names.count(name)} x {name}" for name in dict.fromkeys(names)]
    shared = " shared with other attempts" if share.slots else ""
    return ", ".join([*parts, *(f"{gpu}{shared}" for gpu in gpus)] if gpus else [*parts, "no GPU"])


def device_title(uuid: str, inventory: Inventory) -> str:
    """A device's model and memory: "NVIDIA H200 (139 GB)", "NVIDIA H200 MIG 1g.18gb (18 GB)"; its id if unknown."""
    found = inventory.device(uuid)
    if found is None:
        return uuid
    gpu, part = found
    name = gpu.name if part is None else f"{gpu.name} MIG {part.profile or 'device'}"
    memory = (part or gpu).memory_bytes
    return name if memory is None else f"{name} ({memory / GB:.0f} GB)"


def facts(inventory: Inventory | None = None) -> dict[str, Any]:
    """The machine as JSON, for an attempt's bundle: what figures depend on, and nothing that names host or user."""
    inventory = inventory or take_inventory()
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu_model": processors.cpu_model(),
        "machine_cpus": os.cpu_count(),
        **inventory.model_dump(mode="json"),
    }


def _gpu_facts() -> dict[str, Any]:
    nvml.library()
    count = nvml.ask("nvmlDeviceGetCount") or 0
    cuda = nvml.ask("nvmlSystemGetCudaDriverVersion_v2")
    return {
        "driver": nvml.text(nvml.ask("nvmlSystemGetDriverVersion")),
        "cuda": f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
        "gpus": tuple(_gpu(index) for index in range(count)),
    }


def _gpu(index: int) -> Gpu:
    """One GPU; a broken one tells what it can, and never keeps the others from being seen."""
    known: dict[str, Any] = {"index": index}
    try:
        handle = nvml.ask("nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            return Gpu(index=index, fault="may not be used by this user")
        known["uuid"] = nvml.text(nvml.ask("nvmlDeviceGetUUID", handle))
        known["name"] = nvml.text(nvml.ask("nvmlDeviceGetName", handle)) or "unknown GPU"
        pci = nvml.ask("nvmlDeviceGetPciInfo", handle)
        known["pci_bus"] = bus = None if pci is None else _pci_name(nvml.text(pci.busId) or "")
        known["numa_node"] = None if bus is None else _numa_node(bus)
        memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
        known["memory_bytes"] = None if memory is None else int(memory.total)
        known["used_bytes"] = used_bytes(handle)
        mode = nvml.ask("nvmlDeviceGetMigMode", handle)
        if mode is not None and mode[0] == 1:
            known["mig"] = True
            known["mig_devices"] = _mig_devices(handle)
    except nvml.DeviceFaultError as error:
        known["fault"] = str(error)
    return Gpu(**known)


def used_bytes(handle: Any) -> int | None:
    """Memory taken on a GPU or MIG device, without what the driver itself reserves where NVML tells that apart."""
    memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle, getattr(nvml.library(), "nvmlMemory_v2", None))
    if memory is None:
        memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
    return None if memory is None else int(memory.used)


def _mig_devices(handle: Any) -> tuple[MigDevice, ...]:
    found = []
    for position in range(nvml.ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
        part = nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, position)
        uuid = None if part is None else nvml.text(nvml.ask("nvmlDeviceGetUUID", part))
        if part is None or uuid is None:
            continue
        memory = nvml.ask("nvmlDeviceGetMemoryInfo", part)
        total = None if memory is None else int(memory.total)
        found.append(MigDevice(uuid=uuid, profile=_profile(part), memory_bytes=total))
    return tuple(found)


def _profile(part: Any) -> str | None:
    """ "1g.18gb": the end of the device's name, else made from its attributes."""
    _, separator, profile = (nvml.text(nvml.ask("nvmlDeviceGetName", part)) or "").partition(" MIG ")
    if separator:
        return profile
    attributes = nvml.ask("nvmlDeviceGetAttributes", part)
    if attributes is None:
        return None
    return f"{attributes.gpuInstanceSliceCount}g.{round(attributes.memorySizeMB / 1024)}gb"


def _pci_name(bus: str) -> str | None:
    """NVML's "00000000:3B:00.0" as the kernel spells it: "0000:3b:00.0"."""
    domain, separator, rest = bus.lower().partition(":")
    return f"{domain[-4:].rjust(4, '0')}:{rest}" if separator else None


def _numa_node(bus: str, root: Path = Path("/")) -> int | None:
    """The node a PCI device hangs on, from the kernel (NVML's own answer is the node of the GPU's memory)."""
    try:
        node = int((root / "sys/bus/pci/devices" / bus / "numa_node").read_text())
    except (OSError, ValueError):
        return None
    return node if node >= 0 else None
