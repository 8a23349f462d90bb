"""What a run and its attempts are, as the run store keeps them and as reports read them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlebench.competition import Edition
from mlebench.gateway.api import Replay, Usage
from mlebench.grading.report import GradeReport, Outcome
from mlebench.hardware.api import Share, Telemetry


class State(StrEnum):
    """Where an attempt stands; each change is one transaction."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    """The agent is over and its output is collected; grading is still to come."""
    DONE = "done"


class End(StrEnum):
    """How the agent's part ended; the grade's outcome says how the submission fared."""

    FINISHED = "finished"
    CRASHED = "crashed"
    """Exit code other than 0; a submission it left is graded all the same."""
    OUT_OF_TIME = "out_of_time"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    OUT_OF_BUDGET = "out_of_budget"
    """Dollars, tokens or calls of its models are used up."""
    OUT_OF_STEPS = "out_of_steps"
    """The agent says it came to its step limit."""
    MODEL_FAILURE = "model_failure"
    """The agent says that its model kept failing."""
    INFRASTRUCTURE = "infrastructure"
    """The sandbox failed, not the agent; retried a bounded number of times."""
    CANCELLED = "cancelled"


class RunConfig(BaseModel):
    """What was asked for with `mlebench run`; a resumed run uses it unchanged."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    name: str
    agent: str
    """Built-in name or absolute folder."""
    sandbox: str
    competitions: list[str]
    seeds: list[int]
    edition: Edition = "v1"
    time_limit_seconds: float
    grace_seconds: float = 30.0
    concurrency: int = 1
    data_dir: str
    competitions_dirs: list[str] = []
    image: str | None = None
    cpus: float | None = None
    memory_gb: float | None = None
    disk_gb: float = 50.0
    network: str = "none"
    """none, full, or allow=HOST,HOST..."""
    runtime: str | None = None
    """Container runtime by the engine's name for it (runsc, sysbox-runc, ...)."""
    pids: int = 4096
    shm_gb: float = 1.0
    model: str | None = None
    """provider/name; None for agents without a model."""
    role_models: dict[str, str] = {}
    """Models of single roles of the agent, such as {"feedback": "openai/gpt-4.1-mini"}."""
    options: dict[str, str] = {}
    """The agent's own options, as its agent.toml declares them."""
    step_limit: int | None = None
    budget_usd: float | None = None
    budget_tokens: int | None = None
    budget_calls: int | None = None
    models_allowed: list[str] = []
    """References that agents may ask for besides the models of this run."""
    replay: Replay = Replay.OFF
    replay_dir: str | None = None
    """Where recorded model answers lie."""
    providers_file: str | None = None
    prices_file: str | None = None
    budget_grace_seconds: float = 120.0
    """How long an agent may go on after a call was refused because its budget is used up, to hand in its best."""
    gpus_per_attempt: int = 0
    attempts_per_gpu: int = 1
    gpus: list[str] = []
    """GPUs to choose from; empty: all."""
    pin_cpus: bool = False
    warn_at: list[float] = [0.5, 0.9, 0.98]
    """Parts of the time limit at which the agent is told how much is left."""
    snapshot_seconds: float = 900.0
    """A changed submission is snapshot at once; besides, it is looked at this often. 0: no snapshots."""
    max_tries: int = 3
    """How often an attempt is started when the sandbox, not the agent, fails."""


def allowed_models(config: RunConfig) -> tuple[str, ...]:
    """The references that an attempt may ask its model gateway for; empty for agents without a model."""
    if config.model is None:
        return ()
    return tuple(dict.fromkeys([config.model, *config.role_models.values(), *config.models_allowed]))


class AgentClaim(BaseModel):
    """logs/outcome.json: how the agent says its work ended. Its own word, never evidence."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="ignore")

    end: Literal["finished", "out_of_steps", "out_of_time", "model_failure", "crashed"]
    message: str | None = Field(default=None, max_length=500)
    steps: int | None = None


class Snapshot(BaseModel):
    """A submission as it was at a moment of the run: sealed then, graded after the end."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    number: int
    """From 1, counted on over those that were dropped to keep the number bounded."""
    at_seconds: float
    """Since the agent's start."""
    sha256: str
    """Of the file as the agent wrote it; on disk it is packed."""
    bytes: int
    """Size of the file as the agent wrote it."""
    grade: GradeReport | None = None

    @property
    def file(self) -> str:
        """Its file, below the attempt's folder."""
        return f"snapshots/{self.number}.csv.gz"


class Attempt(BaseModel):
    """One competition tried once by one agent with one seed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    """<competition>-s<seed>; also the attempt's folder name below the run's folder."""
    competition: str
    seed: int
    state: State = State.QUEUED
    end: End | None = None
    exit_code: int | None = None
    tries: int = 0
    handle: str | None = None
    """The sandbox's name for what runs."""
    created_at: datetime
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    ended_at: datetime | None = None
    message: str | None = None
    """One sentence about an unusual end."""
    validate_port: int | None = None
    """Port of the validation endpoint in sandboxes that see the host's; a resumed run serves it again."""
    validations: int = 0
    """How often the agent asked the validation endpoint."""
    gateway_port: int | None = None
    """Port of the model gateway in sandboxes that see the host's; a resumed run serves it again."""
    gateway_key: str | None = None
    """Run-scoped key of the model gateway: worthless anywhere else and after the attempt; needed to adopt it."""
    usage: Usage | None = None
    """What it asked models for; None for agents without a model."""
    exhausted_at: datetime | None = None
    """When a call was first refused because the budget is used up."""
    usage_head: str | None = None
    """Hash of the last line of usage.jsonl when the attempt ended."""
    share: Share | None = None
    """What it got of the machine."""
    telemetry: Telemetry | None = None
    """What it used of its GPUs."""
    image_id: str | None = None
    """The engine's id of the image that ran, sha256:..."""
    claim: AgentClaim | None = None
    """What the agent said of its own end in logs/outcome.json."""
    snapshots: list[Snapshot] = []
    """Submissions as they were while the agent ran, oldest first."""
    grade: GradeReport | None = None
    """None while grading is still to come, and for good where the sandbox failed every time."""
    submission_sha256: str | None = None
    """Hash of submission.csv as collected, sealed before anybody graded it; none where there is none."""
    events_head: str | None = None
    """Hash of the last line of events.jsonl when the attempt was done; a shortened log no longer ends in it."""
    bundle: str | None = None
    """Digest of the attempt's sealed folder (mlebench.bundle), for `verify --expect-digest`; not part of attempt.json."""

    def shown(self) -> dict[str, Any]:
        """The record as JSON for people, files and bundles: everything but the key of its model gateway."""
        return self.model_dump(mode="json", exclude={"gateway_key"})

    @property
    def failed(self) -> bool:
        """Whether a fault of ours (sandbox or grader) keeps this attempt without a result; a resume tries again."""
        return self.end is End.INFRASTRUCTURE or (self.grade is not None and self.grade.outcome is Outcome.GRADER_ERROR)


FRESH: dict[str, Any] = dict.fromkeys(
    (
        *("end", "exit_code", "handle", "started_at", "deadline_at", "ended_at", "message"),
        *("validate_port", "grade", "submission_sha256", "events_head", "gateway_port", "gateway_key", "usage"),
        *("usage_head", "exhausted_at", "share", "telemetry", "image_id", "claim", "bundle"),
    )
) | {"validations": 0, "snapshots": []}
"""Fields of an attempt that is queued again; `tries` goes on counting."""
