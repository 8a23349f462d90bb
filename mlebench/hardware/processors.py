"""Processors and memory that this process may use: affinity, control groups (version 1 and 2), NUMA nodes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_UNLIMITED = 1 << 60
"""Control groups of version 1 write "no limit" as a number near 2**63."""
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


@dataclass(frozen=True)
class NumaNode:
    """Processors that are equally near to one part of the memory."""

    number: int
    cpus: tuple[int, ...]


def usable_cpus() -> tuple[int, ...]:
    """Numbers of the processors this process may run on (CPU sets of control groups are part of this)."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Processors' worth of time that control groups allow; None without a limit."""
    quotas = []
    for text in _texts_v2(root, "cpu.max"):
        quota, _, period = text.partition(" ")
        if quota != "max":
            quotas.append(int(quota) / int(period or 100_000))
    for folder in _folders_v1(root, "cpu"):
        allowed, every = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if allowed and every and int(allowed) > 0 and int(every) > 0:
            quotas.append(int(allowed) / int(every))
    return min(quotas, default=None)


def memory_limit(root: Path = Path("/")) -> int | None:
    """Bytes that control groups allow; None without a limit."""
    texts = _texts_v2(root, "memory.max")
    texts += [text for folder in _folders_v1(root, "memory") if (text := _read(folder / "memory.limit_in_bytes"))]
    limits = [int(text) for text in texts if text.isdigit()]
    return min((limit for limit in limits if limit < _UNLIMITED), default=None)


def memory_total() -> int | None:
    """Bytes of memory of the machine; None where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def numa_nodes(root: Path = Path("/")) -> tuple[NumaNode, ...]:
    """NUMA nodes with processors; none where the system does not tell."""
    nodes = []
    for folder in (root / "sys/devices/system/node").glob("node[0-9]*"):
        cpus = parse_cpuset(_read(folder / "cpulist") or "")
        if cpus:
            nodes.append(NumaNode(int(folder.name.removeprefix("node")), cpus))
    return tuple(sorted(nodes, key=lambda node: node.number))


def cores(cpus: tuple[int, ...], root: Path = Path("/")) -> dict[int, int]:
    """For each processor the lowest of those that share its core (hyper-threads): its core's name."""
    named = {}
    for cpu in cpus:
        siblings = _read(root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        named[cpu] = min(parse_cpuset(siblings or "") or (cpu,))
    return named


def cpu_model(root: Path = Path("/")) -> str | None:
    """The processors' name, as the kernel shows it."""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _read(root / "proc/cpuinfo") or "", re.MULTILINE)
    return found[1].strip() if found else None


def parse_cpuset(text: str) -> tuple[int, ...]:
    """ "0-3,8" as numbers; an empty tuple for what is no such list."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None:
            return ()
        numbers.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return tuple(sorted(numbers))


def format_cpuset(cpus: tuple[int, ...]) -> str:
    """Numbers as "0-3,8"."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and runs[-1][-1] == cpu - 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _texts_v2(root: Path, file: str) -> list[str]:
    """What `file` says in this process's control group of version 2 and in every one above it."""
    return [text for folder in _folders(root, "cgroup2", "") if (text := _read(folder / file))]


def _folders_v1(root: Path, controller: str) -> list[Path]:
    return _folders(root, "cgroup", controller)


def _folders(root: Path, kind: str, controller: str) -> list[Path]:
    """This process's control group (of that controller in version 1) and all above it, as far as mounted here."""
    inside = _own_group(root, controller)
    for line in (_read(root / "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields, filesystem = before.split(), after.split()
        if len(fields) < 5 or len(filesystem) < 3 or filesystem[0] != kind:
            continue
        if controller and controller not in filesystem[2].split(","):
            continue
        top = root / fields[4].lstrip("/")
        # In a container the group's name may be the host's, and only what lies below `fields[3]` is mounted.
        below = inside.removeprefix(fields[3].rstrip("/")) if inside.startswith(fields[3]) else ""
        parts = [part for part in below.split("/") if part not in ("", "..")]
        return [top.joinpath(*parts[:length]) for length in range(len(parts), -1, -1)]
    return []


def _own_group(root: Path, controller: str) -> str:
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controller in controllers.split(",") if controller else not controllers:
            return group
    return "/"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
