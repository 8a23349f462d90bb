"""The machine itself: processors, memory, GPUs, and what the kernel offers to hide the answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from mlebench.doctor.finding import Finding, ok, warning
from mlebench.units import size
from mlebench.validation import landlock

_LITTLE_MEMORY = 4_000_000_000
_SMI_SECONDS = 2.0


def processors_and_memory() -> list[Finding]:
    """Processors and memory that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _memory_limit()
    bound = f" (a control group allows {size(limit)})" if limit is not None and limit < memory else ""
    detail = f"{usable} processors, {size(memory)} memory{bound}"
    if min(memory, limit or memory) < _LITTLE_MEMORY:
        return [warning("Machine", detail, "use the small competitions only (--split lite), one at a time")]
    return [ok("Machine", detail)]


def gpus() -> list[Finding]:
    """NVIDIA GPUs as the driver shows them."""
    if shutil.which("nvidia-smi") is None:
        return [ok("GPUs", "none (there is no nvidia-smi); attempts run on processors")]
    question = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=_SMI_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [warning("GPUs", f"nvidia-smi does not answer within {_SMI_SECONDS:g} s", "look at the driver (dmesg)")]
    if answer.returncode:
        said = (answer.stdout + answer.stderr).strip().splitlines()
        return [warning("GPUs", f"nvidia-smi fails: {said[0] if said else answer.returncode}", "reinstall the driver")]
    cards = [[cell.strip() for cell in line.split(",")] for line in answer.stdout.splitlines() if line.strip()]
    names = [card[0] for card in cards]
    shown = ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    if not cards:
        return [ok("GPUs", "none; attempts run on processors")]
    return [ok("GPUs", f"{shown}, {cards[0][1]} MiB each, driver {cards[0][2]}")]


def answers_hidden() -> list[Finding]:
    """What keeps the validation service from reading the answers (docs/security.md)."""
    version = landlock.abi()
    if version:
        network = "" if version >= 4 else " (files only: TCP needs version 4, Linux 6.7)"
        return [ok("Landlock", f"version {version}{network}; the validation service cannot read the answers")]
    rest = "the service becomes another user instead" if os.geteuid() == 0 else "only our own code keeps it from them"
    return [
        warning("Landlock", f"not offered by this kernel; {rest}", "use Linux 5.13 or newer with Landlock switched on")
    ]


def _memory_limit() -> int | None:
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None
    return None
