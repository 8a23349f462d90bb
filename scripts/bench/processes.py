"""Running a command and watching what its processes take together."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a command took."""

    seconds: float
    cpu: float
    """Processor seconds of the command and all its descendants."""
    peak_mb: float
    """Largest sum of the resident memory (proportional share) of the command and its descendants."""
    output: str


def run_measured(command: list[str], *, accepted: tuple[int, ...] = (0,), every: float = 0.2) -> Measured:
    """Run a command; RuntimeError with its last words when it ends with another exit code than these."""
    began = time.perf_counter()
    before = os.times()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, text=True)
        done = threading.Event()
        peaks = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, done, peaks, every), daemon=True)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        done.set()
        watcher.join()
        output.seek(0)
        errors.seek(0)
        text = output.read()
        if code not in accepted:
            last = (errors.read().strip() or text.strip() or "no output").splitlines()[-1]
            raise RuntimeError(f"{' '.join(command[:6])} ... ended with exit code {code}: {last}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(seconds, cpu, peaks[0], text)


def _watch(pid: int, done: threading.Event, peaks: list[float], every: float) -> None:
    while not done.wait(every):
        peaks[0] = max(peaks[0], sum(_resident(one) for one in _family(pid)) / 2**20)


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended
            children.setdefault(parent, []).append(int(folder.name))
    family = [pid]
    for member in family:
        family.extend(children.get(member, []))
    return family


def _resident(pid: int) -> int:
    """Proportional share of memory in bytes; plain resident memory where the system does not say."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
