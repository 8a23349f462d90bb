"""Starting a service of the host as a process of its own, and ending it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import mlebench
from mlebench.errors import SandboxError

_START_SECONDS = 30.0


def start_module(module: str, *arguments: str, complaints: IO[bytes], **environment: str) -> subprocess.Popen[bytes]:
    """`python -m MODULE ARGUMENTS`, with pipes and next to nothing of our environment: no keys, no settings.

    The process is to end when its standard input does, as it does when the runner dies.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        env={
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(mlebench.__file__).resolve().parents[1]),
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        start_new_session=True,  # Ctrl-C in the terminal is for the runner, which stops us in its order
    )


class ServiceProcess:
    """A service that says in one line of JSON that it listens, and where."""

    def __init__(self, what: str, complaints: Path) -> None:
        """`what` names it to users. `complaints`: the file that its standard error is appended to."""
        self._what = what
        self._complaints = complaints
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        return None if self._process is None else self._process.pid

    def kill(self) -> None:
        """SIGKILL, and wait for the end; `running` is false then, as if somebody else had done it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def start(self, module: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Start it and wait for its first line, which is returned; SandboxError when none comes."""
        with self._complaints.open("ab") as complaints:
            self._process = start_module(module, json.dumps(settings), complaints=complaints)
        assert self._process.stdout is not None
        if select.select([self._process.stdout], [], [], _START_SECONDS)[0]:
            line = self._process.stdout.readline()
            if line:
                return dict(json.loads(line))
        self.end()
        raise SandboxError(f"{self._what} did not start; {self._complaints} says why.")

    def end(self, grace_seconds: float = 0.0) -> None:
        """End it: SIGTERM and the grace where there is one, then SIGKILL."""
        process, self._process = self._process, None
        if process is None:
            return
        if grace_seconds > 0:
            process.terminate()
            try:
                process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
