"""What the engine is asked for: from a SandboxSpec to the arguments of one container's creation."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from mlebench.errors import SandboxError
from mlebench.sandbox.base import Resources, SandboxSpec
from mlebench.sandbox.layout import (
    CONTAINER,
    CONTAINER_CONTROL,
    CONTAINER_VALIDATE_URL,
    OUTBOX_FOLDERS,
    VALIDATE_PORT,
    VALIDATE_SOCKET,
)
from mlebench.sandbox.mounts import mountable, readable_by_others

AGENT_UID = 10001
"""The agent's user and group id when the runner is root; otherwise it is the runner's own."""
_GB = 1024**3
_NOT_TO_RUN = {"agent.toml", "README.md", "Dockerfile", ".dockerignore", "scripted"}


def environment(spec: SandboxSpec) -> dict[str, str]:
    """The agent's variables."""
    gpus = spec.resources.gpus
    return {
        **CONTAINER.environment(),
        "VALIDATE_URL": CONTAINER_VALIDATE_URL,
        **({"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"} if gpus else {}),
        **spec.environment,
        # After the agent's own: CUDA images ask for all GPUs, and an engine whose default runtime is nvidia would obey.
        "NVIDIA_VISIBLE_DEVICES": ",".join(gpus) if gpus else "void",
        **({"MLEBENCH_FORWARD": forward_words(spec.forwards)} if spec.forwards else {}),
    }


def forward_words(forwards: dict[int, str]) -> str:
    """PORT:SOCKET words for the forwarder; validation is always among them."""
    routes = {VALIDATE_PORT: VALIDATE_SOCKET} | forwards
    for port, name in routes.items():
        parts = PurePosixPath(name).parts
        if not 0 < port < 65536 or not parts or ".." in parts or name.startswith("/") or " " in name:
            raise SandboxError(f"Port {port} cannot be forwarded to {name!r}; sockets lie below the control folder.")
    return " ".join(f"{port}:{CONTAINER_CONTROL / name}" for port, name in sorted(routes.items()))


def creation(spec: SandboxSpec, user: str, labels: dict[str, str]) -> dict[str, Any]:
    """Keyword arguments of `containers.create`, all that isolates the agent among them."""
    return {
        "command": list(spec.command),
        "name": spec.name,
        "entrypoint": ["/bin/sh", str(CONTAINER_CONTROL / "entrypoint.sh")],
        "user": user,
        "working_dir": str(CONTAINER.agent),
        "environment": environment(spec),
        "mounts": mounts(spec),
        "labels": {**spec.labels, **labels},
        "network_mode": "bridge" if spec.network.mode == "full" else "none",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "init": True,
        "log_config": {"Type": "json-file", "Config": {"max-size": "50m", "max-file": "2"}},
        **({"runtime": spec.runtime} if spec.runtime else {}),
        **limits(spec.resources),
    }


def limits(resources: Resources) -> dict[str, Any]:
    """What of the machine the engine gives to one container."""
    asked: dict[str, Any] = {"pids_limit": resources.pids, "shm_size": int(resources.shm_gb * _GB)}
    if resources.memory_gb is not None:
        asked["mem_limit"] = asked["memswap_limit"] = int(resources.memory_gb * _GB)
    if resources.cpus is not None:
        asked["nano_cpus"] = int(resources.cpus * 1e9)
    if resources.cpuset is not None:
        asked["cpuset_cpus"] = resources.cpuset
    if resources.gpus:
        asked["device_requests"] = gpu_requests(resources.gpus)
    return asked


def gpu_requests(gpus: tuple[str, ...]) -> list[Any]:
    """The engine's form of `--gpus device=...`; takes indices, GPU-<uuid> and MIG-<uuid>."""
    from docker.types import DeviceRequest

    return [DeviceRequest(device_ids=list(gpus), capabilities=[["gpu"]])]


def mounts(spec: SandboxSpec) -> list[Any]:
    """Public data, control folder and agent read-only, the output folders writable; nothing else of the host."""
    from docker.types import Mount

    read_only = [
        (spec.public, CONTAINER.data, "public data folder"),
        (spec.control, CONTAINER_CONTROL, "control folder"),
        (spec.control / "instructions.txt", CONTAINER.instructions, "instructions file"),
        (spec.control / "validate_submission.sh", CONTAINER.validate_script, "validation script"),
    ]
    if not brings_own_agent(spec.agent_dir):
        read_only.append((spec.agent_dir, CONTAINER.agent, "agent folder"))
    found = []
    for source, target, what in read_only:
        path = mountable(source, what)
        if os.getuid() == 0:
            readable_by_others(path, what)
        found.append(Mount(str(target), str(path), type="bind", read_only=True))
    for name in OUTBOX_FOLDERS:
        path = mountable(spec.outbox / name, "output folder")
        found.append(Mount(f"/home/{name}", str(path), type="bind"))
    return found


def brings_own_agent(agent_dir: Path) -> bool:
    """Whether the image has the agent in /home/agent: its folder only describes it and holds nothing to run."""
    return {path.name for path in agent_dir.iterdir()} <= _NOT_TO_RUN


def prepare_outbox(outbox: Path, user: str) -> None:
    """Make the output folders, owned by the agent's user where we may give them away."""
    uid, _, gid = user.partition(":")
    for name in OUTBOX_FOLDERS:
        folder = outbox / name
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(folder, int(uid), int(gid), follow_symlinks=False)
