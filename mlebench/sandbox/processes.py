"""Telling processes of the host apart: a pid alone may have been given to somebody else meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from mlebench.sandbox.supervisor import descendants

_PROC = Path("/proc")


def start_mark(pid: int) -> str | None:
    """When the process started, in the system's own words; None when there is no such process or only its zombie."""
    if (_PROC / "self" / "stat").exists():
        try:
            fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    listing = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = listing.stdout.strip().partition(" ")
    return started.strip() if state and not state.startswith("Z") else None


def boot_mark() -> str:
    """Changes with every boot of the machine (empty where the system does not tell)."""
    try:
        return (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    except OSError:
        return ""


def kill_marked(entry: str) -> None:
    """Kill every process of ours whose start environment holds `entry` (NAME=value), and what descends from it.

    Linux only. Finds what is left when a supervisor, the parent of it all, was itself killed.
    """
    wanted = entry.encode()
    for _ in range(10):
        found = [pid for pid in _pids() if wanted in _environment(pid)]
        if not found:
            return
        for pid in set(found).union(*map(descendants, found)):
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass


def any_marked(entry: str) -> bool:
    """Whether a process of ours has `entry` (NAME=value) in its start environment. Linux only."""
    wanted = entry.encode()
    return any(wanted in _environment(pid) for pid in _pids())


def _pids() -> list[int]:
    if not _PROC.is_dir():
        return []
    return [int(path.name) for path in _PROC.iterdir() if path.name.isdecimal() and int(path.name) != os.getpid()]


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
