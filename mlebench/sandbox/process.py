"""The process sandbox: the agent is an ordinary process of this machine. For agents you trust, and for laptops.

It keeps attempts apart (own folder, own environment, own process tree that is ended as a whole) but hides nothing:
the agent can read whatever the user can read. Reports say so (`isolates` is False).
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import mlebench
from mlebench.errors import SandboxError
from mlebench.sandbox import supervisor
from mlebench.sandbox.base import EngineFacts, Exit, ImageFacts, SandboxSpec
from mlebench.sandbox.collect import folders_usage
from mlebench.sandbox.control import copy_folder, write_control
from mlebench.sandbox.layout import OUTBOX_FOLDERS, host_layout
from mlebench.sandbox.logs import read_chunks, write_bounded
from mlebench.sandbox.processes import any_marked, boot_mark, kill_marked, start_mark
from mlebench.sandbox.removal import remove_tree

_GB = 1024**3
_MARK = "MLEBENCH_ATTEMPT_MARK"
_NAME = "MLEBENCH_ATTEMPT_NAME"
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class _Handle:
    """What is needed to find the attempt again."""

    folder: str
    pid: int
    started: str
    boot: str
    mark: str

    @classmethod
    def read(cls, handle: str) -> _Handle:
        try:
            return cls(**json.loads(handle))
        except (ValueError, TypeError):
            raise SandboxError(f"{handle!r} is no handle of the process sandbox.") from None

    @property
    def alive(self) -> bool:
        return start_mark(self.pid) == self.started and boot_mark() == self.boot


class ProcessSandbox:
    """Runs each attempt as a process tree below a supervisor; a handle is JSON that names both."""

    name = "process"
    isolates = False

    def __init__(self) -> None:
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def check(self, image: str | None = None, runtime: str | None = None, gpus: Sequence[str] = ()) -> None:
        """Raise SandboxError where there are no POSIX processes, and for a runtime; an image is not needed."""
        if os.name != "posix":
            raise SandboxError("The process sandbox needs Linux or macOS; use WSL or `--sandbox docker`.")
        if runtime is not None:
            raise SandboxError(f"The runtime {runtime} is for containers; use it with `--sandbox docker`.")

    def start(self, spec: SandboxSpec) -> str:
        """Start a supervisor for the attempt; its files lie beside the outbox, in process/."""
        self.check()
        folder = spec.outbox.absolute().parent / "process"
        if folder.exists():
            remove_tree(folder)
        agent, home, scratch = folder / "agent", folder / "home", folder / "tmp"
        for path in (home, scratch, *(spec.outbox / name for name in OUTBOX_FOLDERS)):
            path.mkdir(parents=True, exist_ok=True)
        copy_folder(spec.agent_dir, agent)
        mark = uuid.uuid4().hex
        layout = host_layout(agent, spec.public.absolute(), spec.outbox.absolute(), spec.control.absolute())
        environment = {
            # Our own Python first, so that an agent finds the packages mlebench depends on.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(home),
            "TMPDIR": str(scratch),
            "LANG": "C.UTF-8",
            **layout.environment(),
            **({"CUDA_VISIBLE_DEVICES": ",".join(spec.resources.gpus)} if spec.resources.gpus else {}),
            **spec.environment,
            _MARK: mark,
            _NAME: spec.name,
        }
        write_control(spec.control, environment)
        memory = spec.resources.memory_gb
        job = {
            "command": list(spec.command),
            "environment": environment,
            "cwd": str(agent),
            "memory_bytes": None if memory is None else int(memory * _GB),
            "file_bytes": int(spec.resources.disk_gb * _GB),
        }
        with os.fdopen(os.open(folder / "job.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(job, file)
        child = _start_supervisor(folder, spec.name)
        self._children[child.pid] = child
        started = start_mark(child.pid) or ""
        return json.dumps(asdict(_Handle(str(folder), child.pid, started, boot_mark(), mark)))

    def alive(self, handle: str) -> bool:
        """Whether the supervisor that was started, and no later process of the same id, still runs."""
        what = _Handle.read(handle)
        self._reap(what)
        return what.alive

    def alive_named(self, name: str) -> bool:
        """Whether a process carries the name (Linux only)."""
        return any_marked(f"{_NAME}={name}")

    def wait(self, handle: str, seconds: float) -> Exit | None:
        """Look for the exit code until it is there or the time is over."""
        what = _Handle.read(handle)
        deadline = time.monotonic() + seconds
        while True:
            running = self.alive(handle)  # asked first: what ends after this line has written its code before the next
            code = _exit_code(what)
            if code is not None:
                return Exit(code)
            if not running:
                return self._lost(what)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(0.1, left))

    def stop(self, handle: str, grace_seconds: float) -> None:
        """SIGTERM to the agent's processes, SIGKILL after the grace, to all that descend from them."""
        what = _Handle.read(handle)
        for seconds in (grace_seconds, _KILL_SECONDS):
            if self.alive(handle):
                _send(what, signal.SIGTERM)
                self._wait_for_end(handle, seconds)
        if self.alive(handle):
            _send(what, signal.SIGKILL)
            self._wait_for_end(handle, _KILL_SECONDS)
        kill_marked(f"{_MARK}={what.mark}")

    def disk_usage(self, handle: str) -> int:
        """Bytes in the attempt's home, its TMPDIR and its copy of the agent's folder."""
        folder = Path(_Handle.read(handle).folder)
        return folders_usage([folder / name for name in ("agent", "home", "tmp")])

    def image_facts(self, image: str) -> ImageFacts | None:
        """There are no images here."""
        return None

    def engine_facts(self) -> EngineFacts:
        """No engine: the machine itself."""
        return EngineFacts(name="process", version=mlebench.__version__, kernel=platform.release(), system=_system())

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        """Copy what the agent printed."""
        write_bounded(read_chunks(Path(_Handle.read(handle).folder) / "output.log"), destination, limit_bytes)

    def last_output(self, handle: str, limit_bytes: int) -> bytes:
        """The end of the file that the supervisor writes."""
        try:
            with (Path(_Handle.read(handle).folder) / "output.log").open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - limit_bytes))
                return file.read(limit_bytes)
        except FileNotFoundError:
            return b""

    def remove(self, handle: str) -> None:
        """End what still runs and delete the attempt's working files (not its outbox)."""
        self.stop(handle, 0)
        with suppress(OSError):
            remove_tree(Path(_Handle.read(handle).folder))

    def remove_named(self, name: str) -> None:
        """Kill every process that carries the name, the supervisor included (Linux only)."""
        kill_marked(f"{_NAME}={name}")

    def _reap(self, what: _Handle) -> None:
        child = self._children.get(what.pid)
        if child is not None and child.poll() is not None:
            del self._children[what.pid]

    def _wait_for_end(self, handle: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.alive(handle) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _lost(self, what: _Handle) -> Exit:
        if what.boot != boot_mark() or not Path(what.folder).is_dir():
            raise SandboxError(f"The process {what.pid} and its files are gone; the machine was restarted meanwhile.")
        kill_marked(f"{_MARK}={what.mark}")
        return Exit(None)


def _start_supervisor(folder: Path, name: str) -> subprocess.Popen[bytes]:
    # SIGTERM stays blocked until the supervisor can handle it: a stop that comes early must not kill it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with (folder / "supervisor.log").open("wb") as complaints:
            return subprocess.Popen(
                [sys.executable, "-I", supervisor.__file__, str(folder)],
                env={"PATH": os.defpath, "LANG": "C.UTF-8", _NAME: name},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(what: _Handle, number: int) -> None:
    if what.alive:
        try:
            os.kill(what.pid, number)
        except ProcessLookupError:
            pass


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _exit_code(what: _Handle) -> int | None:
    try:
        return int(json.loads((Path(what.folder) / "exit.json").read_text())["code"])
    except (OSError, ValueError, KeyError):
        return None
