"""What a run that is over left behind on this machine: there should be nothing."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
from pathlib import Path

from soaking.bench_run import MARK, Place

PASSING = ("outbox", "live.json", "control/sockets")
"""Parts of an attempt's folder that only a running attempt has."""
UNFINISHED = (".tmp", ".part", ".partial", ".new", "-journal")
"""Ends of the names of files that are being written."""


def leftovers(place: Place, run_id: str | None) -> list[str]:
    """One line for each thing that should not be there any more."""
    found = [f"process {line}" for line in processes(place)]
    if run_id is not None:
        found += [f"container {line}" for line in containers(run_id)]
    found += [f"socket in use {line}" for line in open_sockets(place.root)]
    found += [f"mount {line}" for line in _lines("/proc/self/mounts") if str(place.root) in line]
    found += [f"temporary {path.name}" for path in sorted(place.temporary.iterdir())]
    found += [f"lease {path.name}" for path in sorted(place.leases.iterdir()) if path.name != "lock"]
    found += [f"file {path.relative_to(place.runs)}" for path in files(place.runs)]
    return found + [f"lock {path.relative_to(place.root)}" for path in place.runs.glob("*/run.lock") if _held(path)]


def processes(place: Place) -> list[str]:
    """Processes that the run's runners started (they inherit its mark), or whose command names its place."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            variables = (folder / "environ").read_bytes()
        except OSError:
            continue  # it has just ended
        if f"{MARK}={place.mark}".encode() in variables.split(b"\0") or f"{place.root}/" in command:
            found.append(f"{folder.name}: {command[:100]}")
    return found


def containers(run_id: str) -> list[str]:
    """Containers of the run, whether they run or not."""
    command = [
        "docker",
        "ps",
        "--all",
        "--filter",
        f"label=mlebench.run={run_id}",
        "--format",
        "{{.Names}}: {{.Status}}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def open_sockets(root: Path) -> list[str]:
    """Unix sockets below a folder that some process still holds."""
    return [line.split()[-1] for line in _lines("/proc/net/unix") if f"{root}/" in line]


def files(runs: Path) -> list[Path]:
    """Sockets and pipes, half-written files, and what only a running attempt has."""
    found = [path for run in runs.glob("*") for attempt in run.glob("*/") for path in map(attempt.joinpath, PASSING)]
    found = [path for path in found if path.exists()]
    for path in runs.rglob("*"):
        kind = path.lstat().st_mode
        if stat.S_ISSOCK(kind) or stat.S_ISFIFO(kind) or path.name.endswith(UNFINISHED):
            found.append(path)
    return sorted(set(found))


def _held(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
