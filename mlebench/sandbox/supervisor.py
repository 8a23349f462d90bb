"""The supervisor of one attempt in the process sandbox; it outlives the runner that started it.

    python supervisor.py FOLDER

Reads FOLDER/job.json, runs the command, keeps what it prints in FOLDER/output.log (bounded), ends every process
that descends from it, and at last writes FOLDER/exit.json. The first SIGTERM is passed on to the agent, the second
kills. Run by path, so only the standard library is used here.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

LOG_LIMIT = 64 * 1024**2
_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.05


def become_subreaper() -> None:
    """On Linux, orphaned descendants (daemons) become children of this process instead of init's."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> Iterator[tuple[int, int]]:
    """Process id and parent's process id of everything that runs."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        for folder in proc.iterdir():
            if folder.name.isdecimal():
                try:
                    fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                except OSError:
                    continue
                yield int(folder.name), int(fields[1])
        return
    listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False)
    for line in listing.stdout.splitlines():
        pid, ppid = line.split()
        yield int(pid), int(ppid)


def descendants(root: int) -> set[int]:
    """Ids of every process below `root`."""
    children: dict[int, list[int]] = {}
    for pid, ppid in parents():
        children.setdefault(ppid, []).append(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        below = [pid for pid in children.get(waiting.pop(), []) if pid not in found]
        found.update(below)
        waiting.extend(below)
    return found


def signal_all(number: int, group: int) -> None:
    """Send a signal to every descendant, and where daemons cannot be traced to the agent's process group."""
    groups = [] if sys.platform == "linux" else [(os.killpg, group)]
    for send, target in [*groups, *((os.kill, pid) for pid in descendants(os.getpid()))]:
        try:
            send(target, number)
        except (ProcessLookupError, PermissionError):
            pass


def reap() -> dict[int, int] | None:
    """Exit codes of children that ended (128 + signal when killed); None when there is no child left."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended or None
        if pid == 0:
            return ended
        code = os.waitstatus_to_exitcode(status)
        ended[pid] = code if code >= 0 else 128 - code


def limits(job: dict[str, Any]) -> Callable[[], None]:
    """Best effort: what the operating system lets a process be limited to without a container."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: job["memory_bytes"],
        resource.RLIMIT_FSIZE: job["file_bytes"],
    }

    def apply() -> None:
        for which, value in wanted.items():
            hard = resource.getrlimit(which)[1]
            if value is not None and (hard == resource.RLIM_INFINITY or value < hard):
                try:
                    resource.setrlimit(which, (value, value))
                except (ValueError, OSError):
                    pass

    return apply


def keep_output(stream: IO[bytes], path: Path) -> None:
    """Copy what the agent prints to a file up to LOG_LIMIT; read on afterwards, so that the agent never blocks."""
    left = LOG_LIMIT
    with path.open("ab", buffering=0) as log:
        while chunk := os.read(stream.fileno(), 1 << 16):
            if left > 0:
                log.write(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    log.write(b"\n[mlebench: further output was dropped]\n")


def run(folder: Path) -> int:
    """Run the job to its end and return the agent's exit code."""
    job = json.loads((folder / "job.json").read_text())
    log = folder / "output.log"
    asked = 0

    def ask(*_: object) -> None:
        nonlocal asked
        asked += 1

    signal.signal(signal.SIGTERM, ask)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # blocked by whoever started us, until now
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_subreaper()
    try:
        process = subprocess.Popen(
            job["command"],
            env=job["environment"],
            cwd=job["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            restore_signals=True,
            preexec_fn=limits(job),
        )
    except OSError as problem:
        log.write_text(f"mlebench: {job['command'][0]} cannot be started: {problem.strerror}\n")
        return 126 if isinstance(problem, PermissionError) else 127
    assert process.stdout is not None
    threading.Thread(target=keep_output, args=(process.stdout, log), daemon=True).start()

    code, answered = None, 0
    while code is None:
        code = (reap() or {}).get(process.pid)
        if asked > answered:
            answered = asked
            signal_all(signal.SIGTERM if answered == 1 else signal.SIGKILL, process.pid)
        elif answered > 1:
            signal_all(signal.SIGKILL, process.pid)  # what a fork bomb started meanwhile
        time.sleep(_PAUSE)
    process.returncode = code  # reaped above, not by Popen
    while True:
        signal_all(signal.SIGKILL, process.pid)
        if reap() is None:
            return code
        time.sleep(0.01)


def main() -> None:
    """Write the exit code where a restarted runner finds it."""
    folder = Path(sys.argv[1])
    code = run(folder)
    aside = folder / "exit.json.partial"
    aside.write_text(json.dumps({"code": code}))
    aside.replace(folder / "exit.json")


if __name__ == "__main__":
    main()
