"""Which devices and processors an attempt gets: pure functions over what is there and what is held."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlebench.errors import HardwareError
from mlebench.hardware.inventory import Inventory
from mlebench.hardware.ledger import Hold

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Device:
    """Something that can be leased: a whole GPU, or a MIG device."""

    id: str
    title: str
    """How sentences call it."""
    numa_node: int | None = None


def devices(inventory: Inventory, wanted: Sequence[str] = ()) -> list[Device]:
    """What can be leased of the GPUs, in the machine's order; `wanted` (indices, ids) narrows it.

    HardwareError for a name that no GPU has. A GPU in MIG mode stands for its MIG devices.
    """
    found: list[Device] = []
    names: defaultdict[str, list[Device]] = defaultdict(list)
    for gpu in inventory.gpus:
        if gpu.mig:
            parts = [
                Device(part.uuid, f"MIG device {gpu.index}:{position} ({gpu.name} {part.profile or ''})", gpu.numa_node)
                for position, part in enumerate(gpu.mig_devices)
            ]
            for position, part in enumerate(parts):
                names[f"{gpu.index}:{position}"].append(part)
        else:
            parts = [Device(gpu.uuid, gpu.title, gpu.numa_node)] if gpu.uuid and not gpu.fault else []
        for name in (str(gpu.index), gpu.uuid):
            if name:
                names[name].extend(part for part in parts if part not in names[name])
        for part in parts:
            names[part.id] = [part]
        found.extend(parts)
    if not wanted:
        return found
    chosen = {device.id for name in wanted for device in _named(name, names)}
    return [device for device in found if device.id in chosen]


def offered(inventory: Inventory, wanted: Sequence[str] = ()) -> list[Device]:
    """The devices that runs may use: those `wanted`, else those that CUDA_VISIBLE_DEVICES leaves this process, else all.

    What a batch system or the user gave this process is all that it may give away.
    """
    visible = os.environ.get(VISIBLE)
    if wanted or visible is None:
        return devices(inventory, wanted)
    names = [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    if not names:
        raise HardwareError(f"{VISIBLE} hides every GPU from this process; unset it to use them.")
    return devices(inventory, names)


def _named(name: str, names: Mapping[str, list[Device]]) -> list[Device]:
    if name in names:
        return names[name]
    # As CUDA takes them: the beginning of an id, where it is one device's alone.
    ids = [known for known in names if known.startswith(name) and name.startswith(("GPU-", "MIG-"))]
    if len(ids) == 1:
        return names[ids[0]]
    known = ", ".join(sorted(key for key in names if ":" in key or key.isdecimal())) or "none"
    raise HardwareError(
        f"There is no GPU {name!r} here: use an index, a GPU's id or a MIG device's id (here: {known})."
    )


def pick_devices(offered: Sequence[Device], held: Sequence[Hold], count: int, places: int) -> tuple[Hold, ...] | None:
    """`count` devices alone (places 1), or one place on a device that `places` attempts share; None while none is free.

    Several devices come from one NUMA node where one has enough of them; shared ones are filled evenly.
    """
    holds: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in held:
        holds[hold.device].append(hold)
    if places > 1:
        return _pick_place(offered, holds, places)
    free = [device for device in offered if not holds[device.id]]
    if len(free) < count:
        return None
    nodes = Counter(device.numa_node for device in free)
    # The node with the fewest free ones that are enough: larger groups stay whole for those who need them.
    fitting = [node for node in nodes if nodes[node] >= count]
    if count > 1 and fitting:
        node = min(fitting, key=lambda one: (nodes[one], free.index(next(d for d in free if d.numa_node == one))))
        free = [device for device in free if device.numa_node == node]
    return tuple(Hold(device=device.id) for device in free[:count])


def _pick_place(offered: Sequence[Device], holds: Mapping[str, list[Hold]], places: int) -> tuple[Hold, ...] | None:
    # Runners may have different ideas of how many share a device: the smallest number counts (alone: 1).
    room = [
        device for device in offered if len(there := holds[device.id]) < min([places, *(hold.places for hold in there)])
    ]
    if not room:
        return None
    device = min(room, key=lambda one: len(holds[one.id]))
    taken = {hold.slot for hold in holds[device.id]}
    slot = next(number for number in range(len(taken) + 1) if number not in taken)
    return (Hold(device=device.id, slot=slot, places=places),)


def pick_cpus(
    usable: Sequence[int],
    held: frozenset[int],
    count: int,
    near: Sequence[int | None] = (),
    nodes: Mapping[int, Sequence[int]] | None = None,
    cores: Mapping[int, int] | None = None,
) -> tuple[int, ...] | None:
    """`count` processors that nobody holds; None while there are not enough.

    Those of the nodes `near` come first, then those of the node with the most free ones, so that an attempt's
    processors lie together; processors that share a core are given together.
    """
    free = [cpu for cpu in usable if cpu not in held]
    if len(free) < count:
        return None
    node_of = {cpu: node for node, cpus in (nodes or {}).items() for cpu in cpus}
    room = Counter(node_of.get(cpu) for cpu in free)
    core_of = cores or {}
    whole = Counter(core_of.get(cpu, cpu) for cpu in free)
    size = Counter(core_of.get(cpu, cpu) for cpu in usable)

    def rank(cpu: int) -> tuple[int, int, int, bool, int, int]:
        node, core = node_of.get(cpu), core_of.get(cpu, cpu)
        distance = near.index(node) if node in near else len(near)
        broken = whole[core] < size[core]
        enough = 0 if room[node] >= count else 1
        return distance, enough, -room[node], broken, core, cpu

    return tuple(sorted(sorted(free, key=rank)[:count]))
