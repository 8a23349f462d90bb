"""Running scripts: with a time limit, output bounded, and everything that they started ended.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agentkit.processes import end_descendants

_KEPT = 200_000
"""Of each stream so many characters are kept, half of them from its end."""


@dataclass(frozen=True)
class Execution:
    """How a script ended."""

    code: int | None
    """Exit code, negative for a signal; None when its time was over."""
    stdout: str
    stderr: str
    seconds: float
    limit: float

    def told(self) -> str:
        """The agent's observation."""
        if self.code is None:
            how = f"The script was ended: it took longer than {self.limit:.0f} seconds."
        elif self.code < 0:
            how = (
                f"The script was killed by signal {-self.code} ({_signal_name(-self.code)}) after {self.seconds:.1f} s."
            )
        else:
            how = f"The script ended with exit code {self.code} after {self.seconds:.1f} seconds."
        parts = [how]
        if self.stdout.strip():
            parts.append(f"Output:\n{self.stdout.rstrip()}")
        if self.stderr.strip():
            parts.append(f"Error output:\n{self.stderr.rstrip()}")
        return "\n".join(parts if len(parts) > 1 else [how, "It printed nothing."])


def execute(command: list[str], folder: Path, limit: float, environment: Mapping[str, str] | None = None) -> Execution:
    """Run a command in a session of its own; whatever happens, nothing of it goes on afterwards.

    `limit`: seconds. `environment`: its variables; left out: those of this process.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**(os.environ if environment is None else environment), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None and process.stderr is not None
    streams = [_Stream(process.stdout), _Stream(process.stderr)]
    code: int | None = None
    try:
        code = process.wait(timeout=None if limit == float("inf") else limit)
    except subprocess.TimeoutExpired:
        pass
    finally:
        seconds = time.monotonic() - started
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(OSError):
            process.kill()
        process.wait()
        end_descendants()  # also those that left the session: with them the pipes close
    return Execution(code, streams[0].text(), streams[1].text(), seconds, limit)


def python_command(script: Path) -> list[str]:
    """The interpreter of this process: it has the packages that the agent is told of."""
    return [sys.executable, "-u", str(script)]


class _Stream:
    """Reads a pipe to its end; keeps the beginning and the end of what came."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = self._left_out = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        """What was kept, once the pipe is closed (a few seconds are waited for that)."""
        self._thread.join(5)
        gap = f"\n... ({self._left_out:,} bytes left out) ...\n" if self._left_out else ""
        return bytes(self._head).decode("utf-8", "replace") + gap + b"".join(self._tail).decode("utf-8", "replace")

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while piece := os.read(self._pipe.fileno(), 1 << 16):
                room = _KEPT // 2 - len(self._head)
                self._head += piece[:room]
                if rest := piece[max(room, 0) :]:
                    self._tail.append(rest)
                    self._tail_size += len(rest)
                while self._tail_size > _KEPT // 2 and len(self._tail) > 1:
                    gone = self._tail.popleft()
                    self._tail_size -= len(gone)
                    self._left_out += len(gone)
        self._pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
