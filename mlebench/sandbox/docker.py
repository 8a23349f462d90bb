"""The container sandbox: a Docker engine (or one that speaks its API) isolates each attempt.

The agent runs as an unprivileged user without capabilities, sees the public data, its own folder and its
outbox, and has no network unless the user says so. docs/security.md tells what this defends against.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlebench.content import content_dir
from mlebench.errors import SandboxError
from mlebench.sandbox.base import Exit, Resources, SandboxSpec
from mlebench.sandbox.control import write_control
from mlebench.sandbox.layout import CONTAINER, CONTAINER_CONTROL, CONTAINER_VALIDATE_URL, OUTBOX_FOLDERS
from mlebench.sandbox.logs import write_bounded
from mlebench.sandbox.mounts import mountable, readable_by_others

if TYPE_CHECKING:
    from docker.models.containers import Container

DEFAULT_IMAGE = "mlebench-agent"
AGENT_UID = 10001
"""The agent's user and group id when the runner is root; otherwise it is the runner's own."""
_GB = 1024**3
_NOT_TO_RUN = {"agent.toml", "README.md", "Dockerfile", ".dockerignore", "scripted"}


class DockerSandbox:
    """Runs each attempt in a container; a handle is the container's id."""

    name = "docker"
    isolates = True

    def __init__(self) -> None:
        self._connection: Any = None

    def check(self, image: str | None = None) -> None:
        """Raise SandboxError when no engine answers, or when it does not have the image."""
        with engine_errors(image):
            self._client.ping()
            if image is not None:
                self._client.images.get(image)

    def start(self, spec: SandboxSpec) -> str:
        """Create and start the container."""
        image = spec.image or DEFAULT_IMAGE
        environment = CONTAINER.environment() | {"VALIDATE_URL": CONTAINER_VALIDATE_URL} | spec.environment
        write_control(spec.control, environment)
        user = self._user()
        _prepare_outbox(spec.outbox, user)
        mounts = _mounts(spec)
        with engine_errors(image):
            self._client.images.get(image)
            self._remove_namesake(spec)
            container = self._client.containers.create(
                image,
                list(spec.command),
                name=spec.name,
                entrypoint=["/bin/sh", str(CONTAINER_CONTROL / "entrypoint.sh")],
                user=user,
                working_dir=str(CONTAINER.agent),
                environment=environment,
                mounts=mounts,
                labels=spec.labels,
                network_mode="bridge" if spec.network.mode == "full" else "none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                init=True,
                log_config={"Type": "json-file", "Config": {"max-size": "50m", "max-file": "2"}},
                **_limits(spec.resources),
            )
            try:
                container.start()
            except BaseException:
                self.remove(container.id)
                raise
        return str(container.id)

    def alive(self, handle: str) -> bool:
        """Whether the container exists and runs."""
        state = self._state(handle)
        return state is not None and bool(state["Running"])

    def wait(self, handle: str, seconds: float) -> Exit | None:
        """Look until the container ended or the time is over."""
        deadline = time.monotonic() + seconds
        pause = 0.05
        while True:
            state = self._state(handle)
            if state is None:
                raise SandboxError(f"The container {handle[:12]} is gone; somebody removed it while its agent ran.")
            if not state["Running"] and state["Status"] != "created":
                code = int(state["ExitCode"])
                return Exit(code, out_of_memory=bool(state["OOMKilled"]) and code != 0)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(pause * 2, 1.0)

    def stop(self, handle: str, grace_seconds: float) -> None:
        """SIGTERM to the agent, SIGKILL after the grace; with the container every process in it ends."""
        with engine_errors():
            container = self._get(handle)
            if container is not None:
                container.stop(timeout=math.ceil(grace_seconds))

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        """Stream what the container printed to a file."""
        with engine_errors():
            container = self._get(handle)
            chunks = container.logs(stream=True, follow=False) if container is not None else iter(())
            write_bounded(chunks, destination, limit_bytes)

    def remove(self, handle: str) -> None:
        """Kill and delete the container with its writable layer."""
        from docker.errors import APIError, NotFound

        with engine_errors():
            try:
                self._client.api.remove_container(handle, force=True, v=True)
            except NotFound:
                return
            except APIError as problem:
                if problem.status_code != 409:  # another call is removing it at this moment
                    raise

    def remove_named(self, name: str) -> None:
        """The engine takes a name wherever it takes an id."""
        self.remove(name)

    def disk_usage(self, handle: str) -> int:
        """Bytes in the container's writable layer: what the agent wrote outside of its outbox, such as /tmp."""
        with engine_errors():
            found = self._client.api.containers(all=True, size=True, filters={"id": handle})
        return int(found[0].get("SizeRw", 0)) if found else 0

    @property
    def _client(self) -> Any:
        if self._connection is None:
            import docker

            self._connection = docker.from_env(timeout=120, max_pool_size=32)
        return self._connection

    def _get(self, handle: str) -> Container | None:
        from docker.errors import NotFound

        try:
            return self._client.containers.get(handle)
        except NotFound:
            return None

    def _state(self, handle: str) -> dict[str, Any] | None:
        with engine_errors():
            container = self._get(handle)
        return None if container is None else container.attrs["State"]

    def _user(self) -> str:
        # In a rootless engine the container's root is the user who owns the engine, and nobody else can write.
        with engine_errors():
            if any("rootless" in option for option in self._client.info().get("SecurityOptions") or []):
                return "0:0"
        uid = os.getuid()
        return f"{AGENT_UID}:{AGENT_UID}" if uid == 0 else f"{uid}:{os.getgid()}"

    def _remove_namesake(self, spec: SandboxSpec) -> None:
        # A runner killed between creating a container and noting its id leaves one of the same name and labels.
        container = self._get(spec.name)
        if container is None:
            return
        if any(container.labels.get(key) != value for key, value in spec.labels.items()) or not spec.labels:
            raise SandboxError(f"There is already a container named {spec.name} that is not ours; remove it.")
        self.remove(container.id)


def _mounts(spec: SandboxSpec) -> list[Any]:
    from docker.types import Mount

    read_only = [
        (spec.public, CONTAINER.data, "public data folder"),
        (spec.control, CONTAINER_CONTROL, "control folder"),
        (spec.control / "instructions.txt", CONTAINER.instructions, "instructions file"),
        (spec.control / "validate_submission.sh", CONTAINER.validate_script, "validation script"),
    ]
    if not brings_own_agent(spec.agent_dir):
        read_only.append((spec.agent_dir, CONTAINER.agent, "agent folder"))
    mounts = []
    for source, target, what in read_only:
        path = mountable(source, what)
        if os.getuid() == 0:
            readable_by_others(path, what)
        mounts.append(Mount(str(target), str(path), type="bind", read_only=True))
    for name in OUTBOX_FOLDERS:
        path = mountable(spec.outbox / name, "output folder")
        mounts.append(Mount(f"/home/{name}", str(path), type="bind"))
    return mounts


def brings_own_agent(agent_dir: Path) -> bool:
    """Whether the image has the agent in /home/agent: its folder only describes it and holds nothing to run."""
    return {path.name for path in agent_dir.iterdir()} <= _NOT_TO_RUN


def _prepare_outbox(outbox: Path, user: str) -> None:
    uid, _, gid = user.partition(":")
    for name in OUTBOX_FOLDERS:
        folder = outbox / name
        folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(folder, int(uid), int(gid), follow_symlinks=False)


def _limits(resources: Resources) -> dict[str, Any]:
    limits: dict[str, Any] = {"pids_limit": resources.pids, "shm_size": int(resources.shm_gb * _GB)}
    if resources.memory_gb is not None:
        limits["mem_limit"] = limits["memswap_limit"] = int(resources.memory_gb * _GB)
    if resources.cpus is not None:
        limits["nano_cpus"] = int(resources.cpus * 1e9)
    if resources.gpus:
        from docker.types import DeviceRequest

        limits["device_requests"] = [DeviceRequest(device_ids=list(resources.gpus), capabilities=[["gpu"]])]
    return limits


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
        raise SandboxError(f"The container engine refused: {problem.explanation or problem}.") from problem
    except (DockerException, requests.RequestException) as problem:
        if "Permission" in str(problem):
            hint = "this user may not use it: add the user to the group docker, or use a rootless engine"
        else:
            hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or use `--sandbox process`"
        raise SandboxError(f"The container engine does not answer; {hint}.") from problem


def how_to_get(image: str | None) -> str:
    """The next step for somebody whose engine lacks this image."""
    if image is not None and image.partition(":")[0] == DEFAULT_IMAGE:
        return f"build it with `docker build -t {DEFAULT_IMAGE} {content_dir('environment')}` (in a checkout: `make image`)"
    return f"get it with `docker pull {image}`, or build it from the agent's Dockerfile"
