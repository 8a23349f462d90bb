"""The sandbox interface: what a provider is asked for and what it gives back.

The runner calls `start`, then polls `wait`, then `stop`, then `collect`, in this order and whatever happened.
A handle is plain data: a runner that was killed finds it in the run store and adopts what still runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from mlebench.errors import UsageError


@dataclass(frozen=True)
class Resources:
    """What one attempt may use; None leaves the provider's default."""

    cpus: float | None = None
    memory_gb: float | None = None
    pids: int = 4096
    shm_gb: float = 1.0
    disk_gb: float = 50.0
    """Limit for what the attempt writes into its output folders together."""
    gpus: tuple[str, ...] = ()
    """Device ids handed to the container (GPU-<uuid>, MIG-<uuid>); empty hides every GPU from it."""
    cpuset: str | None = None
    """Processors the attempt is bound to, such as "0-3,8"."""


@dataclass(frozen=True)
class Network:
    """What of the network an agent reaches. The host's endpoints (validation, models) come in beside it, always."""

    mode: Literal["none", "allow", "full"] = "none"
    """none: no interface but loopback. allow: the same, and a logged proxy to `hosts`. full: the engine's network."""
    hosts: tuple[str, ...] = ()
    """Host names for `allow`; `*.example.org` stands for every name below example.org."""

    @classmethod
    def parse(cls, text: str) -> Network:
        """`none`, `full` or `allow=HOST,HOST...`; UsageError for anything else."""
        mode, _, hosts = text.partition("=")
        named = tuple(dict.fromkeys(host.strip().lower() for host in hosts.split(",") if host.strip()))
        if mode in ("none", "full") and "=" not in text:
            return cls("full" if mode == "full" else "none")
        if mode == "allow" and named and all(_HOST.fullmatch(host) for host in named):
            return cls("allow", named)
        raise UsageError(
            f"The network {text!r} is not known: use none, full, or allow=HOST,HOST (*.HOST for names below)."
        )

    def __str__(self) -> str:
        return f"allow={','.join(self.hosts)}" if self.mode == "allow" else self.mode


_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True)
class SandboxSpec:
    """Everything a provider needs to start one attempt."""

    name: str
    """Unique and safe as a container name."""
    image: str | None
    """Container image; None for providers without images."""
    command: tuple[str, ...]
    """What runs, relative to the agent's folder (`/home/agent` in a container)."""
    agent_dir: Path
    """The agent's folder on the host, seen read-only as /home/agent unless the image brings its own."""
    public: Path
    """prepared/public, seen read-only as /home/data."""
    outbox: Path
    """Writable folder with submission/, code/ and logs/ inside; the only place whose content is collected."""
    control: Path
    """Read-only for the agent: instructions.txt, validate_submission.sh, the sockets, the forwarder."""
    environment: dict[str, str] = field(default_factory=dict)
    resources: Resources = Resources()
    network: Network = Network()
    forwards: dict[int, str] = field(default_factory=dict)
    """Ports of the agent's localhost, and the socket below the control folder that each leads to (`sockets/x.sock`)."""
    runtime: str | None = None
    """The engine's runtime by name, such as runsc or sysbox-runc; None is the engine's default."""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exit:
    """How the agent's process ended."""

    code: int | None
    """Exit code; None when it could not be learnt (killed together with its supervisor)."""
    out_of_memory: bool = False
    lost: bool = False
    """The engine's or the machine's restart ended it, not the agent, its limits or `stop`: a fault of ours, to be tried
    again. Means nothing once the runner has decided to end the attempt itself."""


class ImageFacts(BaseModel):
    """What an agent ran in; for the attempt's record."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    id: str
    """The engine's id of the image, sha256:..."""
    reference: str
    """The name it was asked for by."""
    digests: list[str] = []
    """Repository digests (name@sha256:...); empty for an image that was built here and never pushed."""
    created: str | None = None
    bytes: int | None = None
    architecture: str | None = None
    """Such as linux/amd64."""
    python: str | None = None
    """Version of the image's python3."""
    python_packages: list[str] | None = None
    """name==version, sorted; None when they could not be listed."""
    system_packages: list[str] | None = None
    """name=version of Debian packages, sorted; None when they could not be listed, as in other distributions."""


class EngineFacts(BaseModel):
    """What runs containers here; for the attempt's record."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    name: str
    """Docker Engine, Podman Engine, ..., or process where there is no engine."""
    version: str | None = None
    runtime: str | None = None
    """The runtime that is used unless another is asked for."""
    runtimes: list[str] = []
    """All that may be asked for."""
    rootless: bool = False
    cgroup_version: str | None = None
    """1 or 2."""
    security: list[str] = []
    """The engine's security options, such as seccomp, apparmor, userns."""
    storage: str | None = None
    """Storage driver and the file system below it."""
    live_restore: bool = False
    """Whether containers go on while the engine is restarted."""
    kernel: str | None = None
    system: str | None = None


class Sandbox(Protocol):
    """A place where agents run."""

    name: str
    """docker or process; recorded with every attempt."""
    isolates: bool
    """False means: only for agents you trust. Reports say so."""

    def check(self, image: str | None = None, runtime: str | None = None, gpus: Sequence[str] = ()) -> None:
        """Raise SandboxError with one helpful sentence when this provider cannot do here what it will be asked for.

        Looks for the image, the runtime, and whether an attempt could be given GPUs with these ids.
        """
        ...

    def start(self, spec: SandboxSpec) -> str:
        """Start the agent and return its handle at once."""
        ...

    def alive(self, handle: str) -> bool:
        """Whether what the handle names still runs (for adopting after a restart)."""
        ...

    def alive_named(self, name: str) -> bool:
        """Whether anything that was started under this SandboxSpec.name still runs."""
        ...

    def wait(self, handle: str, seconds: float) -> Exit | None:
        """Wait at most `seconds` for the end; None while it still runs. Raises SandboxError if it vanished."""
        ...

    def stop(self, handle: str, grace_seconds: float) -> None:
        """Ask to end (SIGTERM), wait the grace, then kill everything the attempt started."""
        ...

    def disk_usage(self, handle: str) -> int:
        """Bytes the attempt wrote outside its output folders (/tmp, installed packages); `collect.UNBOUNDED` when that
        cannot be measured any more. Takes a walk over these files: to be asked about once a minute, rarer where slow.
        """
        ...

    def image_facts(self, image: str) -> ImageFacts | None:
        """What is known of an image (the first time seconds: its packages are listed); None without images."""
        ...

    def engine_facts(self) -> EngineFacts:
        """What runs attempts here."""
        ...

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        """Write what the agent printed (bounded) to a host file."""
        ...

    def last_output(self, handle: str, limit_bytes: int) -> bytes:
        """The end of what the agent printed so far, for people who watch."""
        ...

    def remove(self, handle: str) -> None:
        """Leave nothing behind: container, processes, sockets. Never fails on something already gone."""
        ...

    def remove_named(self, name: str) -> None:
        """The same for what a runner started under this SandboxSpec.name and was killed before it noted the handle."""
        ...
