"""Ending what an agent's scripts leave running.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def adopt_orphans() -> None:
    """Processes whose parent ended become ours (Linux), so that `end_descendants` finds them."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def end_descendants(rounds: int = 50) -> int:
    """Kill everything that this process started, however it detached itself; returns how many were killed."""
    killed: set[int] = set()
    for _ in range(rounds):
        found = descendants(os.getpid())
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        _collect_dead()
        if not found:
            break
        time.sleep(0.02)
    return len(killed)


def descendants(root: int) -> list[int]:
    """Process ids below `root`, zombies left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _collect_dead() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
