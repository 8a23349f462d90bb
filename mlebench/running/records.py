"""What a run and its attempts are, as the run store keeps them and as reports read them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from mlebench.competition import Edition
from mlebench.grading.report import GradeReport, Outcome


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
    network: bool = False
    max_tries: int = 3
    """How often an attempt is started when the sandbox, not the agent, fails."""


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
    grade: GradeReport | None = None
    """None while grading is still to come, and for good where the sandbox failed every time."""
    submission_sha256: str | None = None
    """Hash of submission.csv as collected, sealed before anybody graded it; none where there is none."""
    events_head: str | None = None
    """Hash of the last line of events.jsonl when the attempt was done; a shortened log no longer ends in it."""

    @property
    def failed(self) -> bool:
        """Whether a fault of ours (sandbox or grader) keeps this attempt without a result; a resume tries again."""
        return self.end is End.INFRASTRUCTURE or (self.grade is not None and self.grade.outcome is Outcome.GRADER_ERROR)


FRESH: dict[str, Any] = dict.fromkeys(
    (
        *("end", "exit_code", "handle", "started_at", "deadline_at", "ended_at", "message"),
        *("validate_port", "grade", "submission_sha256", "events_head"),
    )
) | {"validations": 0}
"""Fields of an attempt that is queued again; `tries` goes on counting."""
