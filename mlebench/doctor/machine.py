"""The machine itself: processors, memory, and what the kernel offers to hide the answers."""

from __future__ import annotations

import os

from mlebench.doctor.finding import Finding, ok, warning
from mlebench.hardware import processors
from mlebench.text import size
from mlebench.validation import landlock

_LITTLE_MEMORY = 4_000_000_000


def processors_and_memory() -> list[Finding]:
    """Processors and memory that this process may use."""
    usable, quota = len(processors.usable_cpus()), processors.cpu_quota()
    memory, limit = processors.memory_total() or 0, processors.memory_limit()
    share = f" (a control group allows {quota:g})" if quota is not None and quota < usable else ""
    bound = f" (a control group allows {size(limit)})" if limit is not None and limit < memory else ""
    detail = f"{usable} processors{share}, {size(memory)} memory{bound}"
    if min(memory, limit or memory) < _LITTLE_MEMORY:
        return [warning("Machine", detail, "use the small competitions only (--split lite), one at a time")]
    return [ok("Machine", detail)]


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
