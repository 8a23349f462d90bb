"""environment.json: under which conditions an attempt ran, written by the runner when the agent starts.

Everything that is not known stays None (or empty): a guess would be worse than a gap. Nothing in here is a secret.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlebench.competition import Edition
from mlebench.filenames import ENVIRONMENT_FILE
from mlebench.gateway.api import Replay
from mlebench.hardware.api import Share


class _Facts(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)


class AgentOrigin(_Facts):
    """The agent folder that was run."""

    name: str
    sha256: str | None = None
    """mlebench.bundle.hashes.folder_sha256 of the folder, taken before the start."""
    command: list[str] = []
    options: dict[str, str] = {}
    """The agent's own options, defaults included."""


class DataOrigin(_Facts):
    """The prepared data that the agent saw."""

    competition: str
    edition: Edition = "v1"
    manifest_sha256: str | None = None
    """Hash of the prepared folder's manifest.json, which lists every file's hash; None without a manifest."""
    content_sha256: str | None = None
    """Hash of what the manifest lists (Manifest.content_sha256): the same wherever the same data was prepared."""
    source: str | None = None
    """kaggle, synthetic, bundled, folder or adopted, as the manifest says."""
    verified: bool | None = None
    """Whether the published checksums held; None where there are none."""


class ImageFacts(_Facts):
    """The container image."""

    reference: str | None = None
    """The name it was started by."""
    id: str | None = None
    """The engine's id, sha256:..."""
    digests: list[str] = []
    """Registry digests, where the image came from a registry."""
    packages: list[str] = []
    """Python packages in it as NAME==VERSION, where they could be listed."""


class EngineFacts(_Facts):
    """What isolates the agent."""

    sandbox: str
    """docker or process."""
    isolates: bool | None = None
    """What the sandbox says of itself; None where it is not known."""
    version: str | None = None
    """The engine's version."""
    runtime: str | None = None
    """runc, runsc, sysbox-runc, ..."""
    rootless: bool | None = None
    security: list[str] = []
    """The engine's security options (seccomp, apparmor, userns, ...)."""
    kernel: str | None = None
    validation_protection: str | None = None
    """What keeps the validation service from the answers: landlock+uid, landlock, uid or none."""


class GpuFacts(_Facts):
    """One GPU that the attempt was given."""

    id: str
    name: str | None = None
    memory_gb: float | None = None


class HardwareFacts(_Facts):
    """The machine."""

    processor: str | None = None
    processors: int | None = None
    """Logical ones."""
    memory_gb: float | None = None
    gpus: list[GpuFacts] = []
    """Those of this attempt."""
    driver: str | None = None
    """NVIDIA driver's version."""
    share: Share = Share()
    """What of the machine the attempt was given."""


class Limits(_Facts):
    """What the attempt might use."""

    time_limit_seconds: float
    grace_seconds: float = 30.0
    disk_gb: float | None = None
    pids: int | None = None
    shm_gb: float | None = None
    step_limit: int | None = None
    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None


class ModelFacts(_Facts):
    """Which models the attempt might ask."""

    model: str | None = None
    roles: dict[str, str] = {}
    allowed: list[str] = []
    """References that the gateway lets through; empty: every one that a provider is set up for."""
    replay: Replay = Replay.OFF
    prices: str | None = None
    """Name and version of the price table."""


class Environment(_Facts):
    """The whole of environment.json."""

    format: Literal[1] = 1
    attempt: str
    run: str
    """The run's unique id."""
    run_name: str
    seed: int
    agent: AgentOrigin
    data: DataOrigin
    image: ImageFacts | None = None
    """None in sandboxes without images."""
    engine: EngineFacts
    hardware: HardwareFacts = HardwareFacts()
    limits: Limits
    models: ModelFacts = ModelFacts()
    network: str = "none"
    """none, full, or allow=HOST,HOST..."""
    versions: dict[str, str] = {}
    """What ran it: mlebench, python, platform."""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    def write(self, folder: Path) -> None:
        """Write environment.json into an attempt's folder, aside and renamed."""
        path = folder / ENVIRONMENT_FILE
        aside = path.with_name(path.name + ".tmp")
        aside.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        aside.replace(path)


def read_environment(folder: Path) -> Environment | None:
    """An attempt's environment.json; None where there is none that can be read."""
    try:
        return Environment.model_validate(json.loads((folder / ENVIRONMENT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, ValidationError):
        return None
