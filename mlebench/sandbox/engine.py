"""The container engine as such: its complaints in plain words, what it is and can do, whether it was restarted."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlebench.errors import SandboxError
from mlebench.sandbox.base import EngineFacts
from mlebench.sandbox.processes import boot_mark, start_mark

DEFAULT_IMAGE = "mlebench-agent"
KILLED = (128 + 9, 128 + 15, 255)
"""Exit codes of agents that an engine ended: SIGKILL, SIGTERM, and "nobody knows" after a crash or a reboot."""
RESTORE_SECONDS = 60.0
"""For so long after its start an engine may still end containers that it does not carry over."""


class EngineAwayError(SandboxError):
    """No engine answers (now): it is down, restarting, or not for this user."""


@contextmanager
def engine_errors(image: str | None = None) -> Iterator[None]:
    """Turn the SDK's exceptions into one sentence with the next step."""
    import requests
    from docker.errors import APIError, DockerException, ImageNotFound

    try:
        yield
    except ImageNotFound:
        raise SandboxError(f"There is no image {image} on this engine; {how_to_get(image)}.") from None
    except APIError as problem:
        raise SandboxError(_refusal(str(problem.explanation or problem))) from problem
    except (DockerException, requests.RequestException) as problem:
        if "Permission" in str(problem):
            hint = "this user may not use it: add the user to the group docker, or use a rootless engine"
        else:
            hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or use `--sandbox process`"
        raise EngineAwayError(f"The container engine does not answer; {hint}.") from problem


def _refusal(explanation: str) -> str:
    lower = explanation.lower()
    if "could not select device driver" in lower or "unresolvable cdi devices" in lower:
        return (
            "This container engine cannot hand GPUs to containers; install the NVIDIA Container Toolkit and restart "
            "the engine, or run without GPUs."
        )
    if "container-init binary not found" in lower or '"docker-init": executable file not found' in lower:
        return (
            "This container engine lacks the small init program that containers start with; install it (package "
            "catatonit for Podman, docker-init or tini for Docker)."
        )
    if "nvidia-container-cli" in lower:
        detail = explanation[lower.index("nvidia-container-cli") :].splitlines()[0].rstrip(".:")
        return f"The container engine could not hand over the GPUs ({detail}); `nvidia-smi -L` lists their ids."
    return f"The container engine refused: {explanation.strip().rstrip('.')}."


def how_to_get(image: str | None) -> str:
    """The next step for somebody whose engine lacks this image."""
    name = (image or "").partition(":")[0]
    if name == DEFAULT_IMAGE:
        return f"build it with `mlebench agents build {DEFAULT_IMAGE}`"
    if name.startswith("mlebench-"):
        return f"build it with `mlebench agents build {name.removeprefix('mlebench-')}` (or the agent's folder)"
    return f"get it with `docker pull {image}`, or build it from the agent's Dockerfile"


def engine_facts(info: Mapping[str, Any], version: Mapping[str, Any]) -> EngineFacts:
    """What `docker info` and `docker version` say, in our words."""
    security = [_option(option) for option in info.get("SecurityOptions") or []]
    storage = dict(info.get("DriverStatus") or [])
    below = storage.get("Backing Filesystem")
    return EngineFacts(
        name=engine_name(version),
        version=version.get("Version") or info.get("ServerVersion"),
        runtime=info.get("DefaultRuntime"),
        runtimes=sorted(info.get("Runtimes") or {}),
        rootless=is_rootless(info),
        cgroup_version=info.get("CgroupVersion"),
        security=security,
        storage=f"{info.get('Driver')} on {below}" if below else info.get("Driver"),
        live_restore=bool(info.get("LiveRestoreEnabled")),
        kernel=info.get("KernelVersion"),
        system=info.get("OperatingSystem"),
    )


def engine_name(version: Mapping[str, Any]) -> str:
    """Docker Engine where nothing else is said."""
    first = (version.get("Components") or [{}])[0].get("Name") or "Engine"
    return "Docker Engine" if first == "Engine" else str(first)


def is_rootless(info: Mapping[str, Any]) -> bool:
    """Whether the engine's containers belong to an ordinary user (Docker and Podman say it in the same place)."""
    return "rootless" in (_option(option) for option in info.get("SecurityOptions") or [])


def check_runtime(runtime: str, info: Mapping[str, Any]) -> None:
    """Raise SandboxError when the engine has no runtime of this name."""
    known = sorted(info.get("Runtimes") or {})
    if runtime not in known:
        shown = [name for name in known if not name.startswith("io.containerd.")]  # Docker's own words for runc
        raise SandboxError(
            f"This container engine has no runtime {runtime!r}; it has {', '.join(shown) or 'none'} "
            f"(runtimes are added in /etc/docker/daemon.json under `runtimes`)."
        )


def check_limits(info: Mapping[str, Any]) -> None:
    """Raise SandboxError when the engine says that it cannot hold a container to its memory or number of processes."""
    lacking = [what for key, what in _LIMITS.items() if info.get(key) is False]
    if lacking:
        raise SandboxError(
            f"This container engine cannot limit {' and '.join(lacking)}; enable the cgroup controllers for it "
            "(a rootless engine needs cgroup v2 with delegation), or use another engine."
        )


def check_gpus(version: Mapping[str, Any]) -> None:
    """Raise SandboxError for engines that take a request for GPUs and forget it."""
    name = engine_name(version)
    if name.startswith("Podman"):
        raise SandboxError(
            f"GPUs are handed over by Docker Engine only, and this is {name}; set DOCKER_HOST to another."
        )


_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes"}
"""What the engine says of itself, and what it is about."""


def _option(option: str) -> str:
    """`name=seccomp,profile=default` is shown as seccomp."""
    return option.partition(",")[0].removeprefix("name=")


@dataclass(frozen=True)
class EngineProcess:
    """The process that is the engine, as far as this machine can tell; a restarted engine is another one."""

    mark: str
    """Differs between any two engine processes."""
    started: float
    """Seconds since the epoch."""


def engine_process(base_url: str) -> EngineProcess | None:
    """Which process answers at this address; None where that cannot be told (other machines, Docker Desktop, Podman)."""
    if not base_url.startswith(("unix://", "http+unix://", "http+docker://")):
        return None
    path = Path("/" + base_url.partition("://")[2].lstrip("/"))
    if base_url.startswith("http+docker://"):  # the SDK's name for every Unix socket
        path = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    for pid in (_listener(path), _noted(path.with_name("docker.pid"))):
        if pid is not None and _name(pid) == "dockerd":
            return _process(pid)
    return None


def _listener(path: Path) -> int | None:
    """Who listens on a Unix socket: the engine itself, or systemd where that holds the socket for it."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            probe.connect(str(path))
            return int(struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
    except OSError:
        return None


def _noted(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _name(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def _process(pid: int) -> EngineProcess | None:
    ticks = start_mark(pid)
    if ticks is None or not ticks.isdecimal():
        return None
    boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    started = int(boot.split()[1]) + int(ticks) / os.sysconf("SC_CLK_TCK")
    return EngineProcess(f"{boot_mark()}:{pid}:{ticks}", started)


def ended_by_restart(state: Mapping[str, Any], started_under: str | None, engine: EngineProcess | None) -> bool:
    """Whether a container's end looks like the work of an engine that was restarted since the container's start.

    `started_under`: EngineProcess.mark of the engine that started it.
    """
    if engine is None or started_under is None or engine.mark == started_under:
        return False
    return int(state["ExitCode"]) in KILLED and ended_before(state, engine.started + RESTORE_SECONDS)


def ended_before(state: Mapping[str, Any], moment: float) -> bool:
    """Whether the container ended before `moment` (seconds since the epoch)."""
    text = str(state.get("FinishedAt") or "")
    try:
        ended = datetime.fromisoformat(text[:19] + "+00:00" if text.endswith("Z") else text).timestamp()
    except ValueError:
        return True
    return ended <= moment
