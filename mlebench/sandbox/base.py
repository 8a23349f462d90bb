"""The sandbox interface: what a provider is asked for and what it gives back.

The runner calls `start`, then polls `wait`, then `stop`, then `collect`, in this order and whatever happened.
A handle is plain data: a runner that was killed finds it in the run store and adopts what still runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


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
    """Device ids handed to the container."""


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
    network: bool = False
    """False: no network interface but loopback."""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exit:
    """How the agent's process ended."""

    code: int | None
    """Exit code; None when it could not be learnt (killed together with its supervisor)."""
    out_of_memory: bool = False


class Sandbox(Protocol):
    """A place where agents run."""

    name: str
    """docker or process; recorded with every attempt."""
    isolates: bool
    """False means: only for agents you trust. Reports say so."""

    def check(self, image: str | None = None) -> None:
        """Raise SandboxError with one helpful sentence when this provider cannot work here, or has no such image."""
        ...

    def start(self, spec: SandboxSpec) -> str:
        """Start the agent and return its handle at once."""
        ...

    def alive(self, handle: str) -> bool:
        """Whether what the handle names still runs (for adopting after a restart)."""
        ...

    def wait(self, handle: str, seconds: float) -> Exit | None:
        """Wait at most `seconds` for the end; None while it still runs. Raises SandboxError if it vanished."""
        ...

    def stop(self, handle: str, grace_seconds: float) -> None:
        """Ask to end (SIGTERM), wait the grace, then kill everything the attempt started."""
        ...

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        """Write what the agent printed (bounded) to a host file."""
        ...

    def remove(self, handle: str) -> None:
        """Leave nothing behind: container, processes, sockets. Never fails on something already gone."""
        ...

    def remove_named(self, name: str) -> None:
        """The same for what a runner started under this SandboxSpec.name and was killed before it noted the handle."""
        ...
