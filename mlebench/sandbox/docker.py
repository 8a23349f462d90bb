"""The container sandbox: a Docker engine (or one that speaks its API) isolates each attempt.

The agent runs as an unprivileged user without capabilities, sees the public data, its own folder and its
outbox, and has no network unless the user says so. docs/security.md tells what this defends against.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlebench.errors import SandboxError
from mlebench.sandbox.base import EngineFacts, Exit, ImageFacts, SandboxSpec
from mlebench.sandbox.collect import UNBOUNDED, folders_usage
from mlebench.sandbox.container import AGENT_UID, brings_own_agent, creation, environment, gpu_requests, prepare_outbox
from mlebench.sandbox.control import write_control
from mlebench.sandbox.engine import (
    DEFAULT_IMAGE,
    EngineAwayError,
    check_gpus,
    check_limits,
    check_runtime,
    engine_errors,
    engine_facts,
    how_to_get,
    is_rootless,
)
from mlebench.sandbox.logs import write_bounded
from mlebench.sandbox.restarts import Restarts

if TYPE_CHECKING:
    from docker.models.containers import Container

__all__ = ["AGENT_UID", "DEFAULT_IMAGE", "DockerSandbox", "brings_own_agent", "engine_errors", "how_to_get"]
_SOONEST = 0.05


class DockerSandbox:
    """Runs each attempt in a container; a handle is the container's id. Threads may share one."""

    name = "docker"
    isolates = True

    def __init__(self) -> None:
        self._connection: Any = None
        self._lock = threading.Lock()
        self._restarts = Restarts(lambda: self._client)

    def check(self, image: str | None = None, runtime: str | None = None, gpus: Sequence[str] = ()) -> None:
        """Raise SandboxError when no engine answers, or it lacks the image or runtime, or cannot hand over the GPUs."""
        with engine_errors(image):
            self._client.ping()
            check_limits(self._client.info())
            if image is not None:
                self._client.images.get(image)
            if runtime is not None:
                check_runtime(runtime, self._client.info())
            if gpus:
                check_gpus(self._client.version())
            if image is not None and (gpus or runtime):
                self._try(image, runtime, tuple(gpus))

    def start(self, spec: SandboxSpec) -> str:
        """Create and start the container."""
        image = spec.image or DEFAULT_IMAGE
        write_control(spec.control, environment(spec))
        with engine_errors(image):
            info = self._client.info()
            if spec.runtime is not None:
                check_runtime(spec.runtime, info)
            if spec.resources.gpus:
                check_gpus(self._client.version())
            user = _user(info)
            prepare_outbox(spec.outbox, user)
            asked = creation(spec, user, self._restarts.label())
            self._client.images.get(image)
            self._remove_namesake(spec)
            container = self._client.containers.create(image, **asked)
            try:
                container.start()
            except BaseException:
                self.remove(container.id)
                raise
        # An engine that goes away before the first look may end it with whatever code.
        self._restarts.runs(str(container.id))
        return str(container.id)

    def alive(self, handle: str) -> bool:
        """Whether the container exists and runs."""
        container = self._look(handle)
        return container is not None and bool(container.attrs["State"]["Running"])

    def alive_named(self, name: str) -> bool:
        """The engine takes a name wherever it takes an id."""
        return self.alive(name)

    def wait(self, handle: str, seconds: float) -> Exit | None:
        """Look until the container ended or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            container = self._look(handle)
            if container is None:
                raise SandboxError(f"The container {handle[:12]} is gone; somebody removed it while its agent ran.")
            state = container.attrs["State"]
            if not state["Running"] and state["Status"] != "created":
                code = int(state["ExitCode"])
                memory = bool(state["OOMKilled"]) and code != 0
                return Exit(code, out_of_memory=memory, lost=not memory and self._restarts.ended(handle, container))
            self._restarts.runs(handle)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._until_end(handle, left)

    def stop(self, handle: str, grace_seconds: float) -> None:
        """SIGTERM to the agent, SIGKILL after the grace; with the container every process in it ends."""
        with engine_errors():
            container = self._get(handle)
            if container is not None:
                self._restarts.stopped(handle)
                container.stop(timeout=math.ceil(grace_seconds))

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        """Stream what the container printed to a file."""
        with engine_errors():
            container = self._get(handle)
            chunks = container.logs(stream=True, follow=False) if container is not None else iter(())
            write_bounded(chunks, destination, limit_bytes)

    def last_output(self, handle: str, limit_bytes: int) -> bytes:
        """The last lines, as the engine has them."""
        with engine_errors():
            container = self._get(handle)
            if container is None:
                return b""
            kept = b""
            for chunk in container.logs(stream=True, follow=False, tail=20):
                kept = (kept + chunk)[-limit_bytes:]
        return kept

    def remove(self, handle: str) -> None:
        """Kill and delete the container with its writable layer."""
        from docker.errors import APIError, NotFound

        self._restarts.forget(handle)
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
        """Bytes in the container's writable layer. Walked here where we may read it, by the engine elsewhere."""
        import requests

        with engine_errors():
            container = self._get(handle)
            if container is None:
                return 0
            layer = (container.attrs.get("GraphDriver", {}).get("Data") or {}).get("UpperDir")
            if layer and os.getuid() == 0 and Path(layer).is_dir():
                return folders_usage([Path(layer)])
            try:
                found = self._client.api.containers(all=True, size=True, filters={"id": handle})
            except requests.ReadTimeout:  # minutes of walking: more files than any honest agent has
                return UNBOUNDED
        return int(found[0].get("SizeRw", 0)) if found else 0

    def image_facts(self, image: str) -> ImageFacts | None:
        """What the engine says of the image, and its packages (see packages.py)."""
        from docker.errors import ImageNotFound

        from mlebench.sandbox.packages import packages_of

        with engine_errors(image):
            try:
                found = self._client.images.get(image)
            except ImageNotFound:
                return None
            packages = packages_of(self._client, found.id)
        facts = found.attrs
        return ImageFacts(
            id=found.id,
            reference=image,
            digests=sorted(facts.get("RepoDigests") or []),
            created=facts.get("Created"),
            bytes=facts.get("Size"),
            architecture=f"{facts.get('Os')}/{facts.get('Architecture')}",
            **packages.model_dump(),
        )

    def engine_facts(self) -> EngineFacts:
        """What the engine says of itself."""
        with engine_errors():
            return engine_facts(self._client.info(), self._client.version())

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._connection is None:
                import docker

                self._connection = docker.from_env(timeout=120, max_pool_size=256)
            return self._connection

    def _get(self, handle: str) -> Container | None:
        from docker.errors import NotFound

        try:
            return self._client.containers.get(handle)
        except NotFound:
            return None

    def _look(self, handle: str) -> Container | None:
        try:
            with engine_errors():
                return self._get(handle)
        except EngineAwayError:
            self._restarts.away()
            raise

    def _until_end(self, handle: str, seconds: float) -> None:
        """Return when the container ends, at the latest after `seconds`; the engine holds the request so long."""
        began = time.monotonic()
        with suppress(Exception):  # the time is over, or whatever the next look will find out properly
            self._client.api.wait(handle, timeout=seconds)
        if time.monotonic() - began < _SOONEST:
            time.sleep(min(_SOONEST, seconds))

    def _try(self, image: str, runtime: str | None, gpus: tuple[str, ...]) -> None:
        """Start a container that does nothing with this runtime and these GPUs: only then engines say if they can."""
        container = self._client.containers.create(
            image,
            command=["-c", ":"],
            entrypoint=["/bin/sh"],
            network_mode="none",
            cap_drop=["ALL"],
            environment={"NVIDIA_VISIBLE_DEVICES": ",".join(gpus) or "void"},
            labels={"mlebench.probe": "runtime"},
            auto_remove=True,  # by the engine, also when we are killed meanwhile
            device_requests=gpu_requests(gpus) if gpus else None,
            **({"runtime": runtime} if runtime else {}),
        )
        try:
            container.start()
            container.wait(timeout=60, condition="removed")
        finally:
            self.remove(container.id)

    def _remove_namesake(self, spec: SandboxSpec) -> None:
        # A runner killed between creating a container and noting its id leaves one of the same name and labels.
        container = self._get(spec.name)
        if container is None:
            return
        if any(container.labels.get(key) != value for key, value in spec.labels.items()) or not spec.labels:
            raise SandboxError(f"There is already a container named {spec.name} that is not ours; remove it.")
        self.remove(container.id)


def _user(info: dict[str, Any]) -> str:
    """Whom agents run as. A rootless engine's root is the user who owns the engine, and nobody else can write."""
    if is_rootless(info):
        return "0:0"
    uid = os.getuid()
    return f"{AGENT_UID}:{AGENT_UID}" if uid == 0 else f"{uid}:{os.getgid()}"
