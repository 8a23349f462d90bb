"""What a report holds: one model, rendered on the terminal, in HTML and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlebench.grading.batch import group_report
from mlebench.grading.leaderboard import Leaderboard
from mlebench.grading.report import GradeReport, Thresholds
from mlebench.reporting.consumption import MachineTotals, ModelTotals
from mlebench.reporting.fates import EndCount, Fate, FateCount
from mlebench.reporting.overtime import OverTime, Step
from mlebench.reporting.statistics import CompetitionStatistics, Estimate, Measure, Missing
from mlebench.running.records import End, State


class _Model(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class RunFacts(_Model):
    """What was run, and under which conditions: what a reader needs to compare runs fairly."""

    name: str
    id: str
    agent: str
    sandbox: str
    isolated: bool | None
    """Whether the sandbox keeps the agent away from the answers and the network; none for an unknown sandbox."""
    edition: str
    network: str
    """none, full, or allow=HOST,HOST...; other than none is marked in every report."""
    model: str | None
    role_models: dict[str, str]
    replay: str
    """off, record or replay; replayed answers came from a store, not from a model."""
    budget_usd: float | None
    budget_tokens: int | None
    budget_calls: int | None
    step_limit: int | None
    gpus_per_attempt: int
    attempts_per_gpu: int
    runtime: str | None
    time_limit_seconds: float
    seeds: list[int]
    image: str | None
    """As asked for with --image; None is the agent's own."""
    image_ids: list[str]
    """The engine's ids of the images that ran, sha256:...; none without containers."""
    cpus: float | None
    memory_gb: float | None
    """Of each attempt: as asked for, else the share of the machine that it got."""
    versions: dict[str, str]
    created_at: datetime
    data_sources: dict[str, int]
    """How many competitions had data from where (kaggle, synthetic, bundled, ...), by the grades' manifests."""
    verified: int
    """Competitions whose prepared data's published checksums held."""
    synthetic: list[str]
    """Competitions with made-up data: their medals and ranks mean nothing."""


class AttemptSummary(_Model):
    """One attempt in a few figures."""

    id: str
    competition: str
    seed: int
    fate: Fate
    end: End | None
    state: State
    missing: bool
    """Whether it has no result (unfinished, or a fault of ours)."""
    seconds: float | None
    """From start to end of the agent."""
    validations: int
    calls: int | None
    """Model calls; None where its usage is not known."""
    tokens: int | None
    """Input and output together."""
    usd: float | None
    """None where the price, or the usage, is not known."""
    gpu_hours: float | None
    energy_kwh: float | None
    steps: list[Step]
    """Its results over time: snapshots, then the end."""
    bundle: str | None
    """Digest of its sealed bundle."""
    grade: GradeReport | None = Field(exclude=True)
    """In JSON it stands among the competition_reports."""
    score: float | None
    medal: str | None
    above_median: bool
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    percentile: float | None
    reason: str | None
    message: str | None
    """Why it ended or failed as it did; may come from the agent's output."""


class CompetitionSummary(_Model):
    """One competition of the run."""

    id: str
    title: str
    group: str | None
    """None where the registry does not know the competition any more."""
    complexity: str | None
    category: str | None
    metric: str | None
    higher_is_better: bool | None
    teams: int | None
    thresholds: Thresholds | None
    leaderboard: Leaderboard | None = Field(exclude=True)
    """The archived figures; none where the registry does not know the competition any more."""
    synthetic: bool
    statistics: CompetitionStatistics
    attempts: list[AttemptSummary]


class SummaryRow(_Model):
    """Shares over a set of competitions: mean ± standard error over seeds."""

    name: str
    """low, medium, high; benchmark, development, practice, own, unknown; run: everything in the run."""
    competitions: int
    """Planned in this run: the denominator of the shares."""
    competitions_with_result: int
    """Those of them with a result for every seed."""
    competitions_synthetic: int = 0
    """Those with made-up data: with any of them, what compares with a leaderboard means nothing."""
    competitions_in_split: int | None
    """How many the whole split has, where there is such a split."""
    attempts: int
    attempts_missing: int
    missing_by_seed: dict[int, list[str]]
    """Seeds with missing competitions, and which."""
    shares: dict[Measure, Estimate]
    by_seed: dict[Measure, dict[int, float]]
    pass_at_k: dict[int, float]
    """Any medal, k = 1 ... n/2."""


class RunSummary(_Model):
    """The whole report of one run."""

    format: Literal[1] = 1
    run: RunFacts
    at_seconds: float | None = None
    """Not none: the report is as if every attempt had ended after so many seconds."""
    missing_rule: Missing
    rows: list[SummaryRow]
    """By complexity, by group, and last the row the headline is taken from: everything in the run."""
    fates: list[FateCount]
    ends: list[EndCount]
    """How the agents ended, whatever they earned."""
    over_time: OverTime | None
    """None without snapshots, and in reports of an earlier time."""
    models: ModelTotals | None
    """None where no attempt has a usage, and in reports of an earlier time."""
    machine: MachineTotals | None
    """None where no attempt had a GPU, and in reports of an earlier time."""
    competitions: list[CompetitionSummary]

    @property
    def headline(self) -> SummaryRow:
        """The row over everything in the run."""
        return self.rows[-1]

    @property
    def attempts(self) -> list[AttemptSummary]:
        """All attempts, by competition."""
        return [attempt for competition in self.competitions for attempt in competition.attempts]

    def to_json(self) -> dict[str, Any]:
        """This model, and beside it the published benchmark's totals over the graded attempts."""
        grades = [attempt.grade for attempt in self.attempts if attempt.grade is not None]
        return {**group_report(grades), "report": self.model_dump(mode="json")}
