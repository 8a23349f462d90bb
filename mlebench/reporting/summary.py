"""The report of one run as a model: what is rendered on the terminal, in HTML and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlebench.errors import UsageError
from mlebench.grading.batch import group_report
from mlebench.grading.leaderboard import Leaderboard, load_leaderboard
from mlebench.grading.report import GradeReport, Thresholds
from mlebench.reporting.fates import Fate, FateCount, count_fates, fate_of
from mlebench.reporting.statistics import (
    CompetitionStatistics,
    Estimate,
    Measure,
    Missing,
    has_result,
    missing_by_seed,
    of_competition,
    pass_at_k_curve,
    share,
    share_by_seed,
)
from mlebench.running.records import Attempt, End, State

if TYPE_CHECKING:
    from mlebench.competition import Competition, Facts
    from mlebench.registry import Registry
    from mlebench.running.store import Run

SPLIT_OF_ROW = {"benchmark": "all", "development": "dev"}
"""Summary rows whose split has another name; the others have their own."""


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
    time_limit_seconds: float
    seeds: list[int]
    image: str | None
    cpus: float | None
    memory_gb: float | None
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
    missing_rule: Missing
    rows: list[SummaryRow]
    """By complexity, by group, and last the row the headline is taken from: everything in the run."""
    fates: list[FateCount]
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


def summarise(run: Run, registry: Registry, missing: Missing = Missing.AS_FAILURE) -> RunSummary:
    """Everything a report shows about a run; a run that is still going on can be summarised too."""
    planned = list(dict.fromkeys([*run.config.competitions, *(a.competition for a in run.attempts)]))
    known = {competition_id: _lookup(registry, competition_id) for competition_id in planned}
    attempts = sorted(run.attempts, key=lambda a: (planned.index(a.competition), a.seed))
    seeds = list(dict.fromkeys([*run.config.seeds, *(a.seed for a in attempts)]))
    rows = [
        _row(name, ids, attempts, seeds, missing, _split_size(registry, name))
        for name, ids in _row_members(planned, known).items()
    ]
    return RunSummary(
        run=_facts(run, attempts, seeds),
        missing_rule=missing,
        rows=rows,
        fates=count_fates(attempts),
        competitions=[_competition(id_, known[id_], [a for a in attempts if a.competition == id_]) for id_ in planned],
    )


def _lookup(registry: Registry, competition_id: str) -> Competition | None:
    # A report must not fail because a competition was renamed or a user's folder is elsewhere today.
    try:
        return registry.get(competition_id)
    except UsageError:
        return None


def _row_members(planned: list[str], known: dict[str, Competition | None]) -> dict[str, list[str]]:
    """Row name -> competition ids: complexities, groups, and the whole run unless one group says the same."""
    facts: dict[str, Facts | None] = {id_: c.facts if c else None for id_, c in known.items()}
    members = {
        level: [i for i in planned if (f := facts[i]) and f.complexity == level] for level in ("low", "medium", "high")
    }
    groups = {
        group: [i for i in planned if (f.group if (f := facts[i]) else "unknown") == group]
        for group in ("benchmark", "development", "practice", "own", "unknown")
    }
    groups = {name: ids for name, ids in groups.items() if ids}
    whole = {} if len(groups) == 1 else {"run": planned}
    return {name: ids for name, ids in members.items() if ids} | groups | whole


def _split_size(registry: Registry, row: str) -> int | None:
    split = SPLIT_OF_ROW.get(row, row)
    return None if split in ("own", "unknown", "run") else len(registry.split(split))


def _row(
    name: str, ids: list[str], attempts: list[Attempt], seeds: list[int], missing: Missing, split_size: int | None
) -> SummaryRow:
    absent = missing_by_seed(attempts, ids, seeds)
    without_result = {competition for names in absent.values() for competition in names}
    return SummaryRow(
        name=name,
        competitions=len(ids),
        competitions_with_result=len(ids) - len(without_result),
        competitions_in_split=split_size,
        attempts=len(ids) * len(seeds),
        attempts_missing=sum(map(len, absent.values())),
        missing_by_seed=absent,
        shares={measure: share(attempts, ids, seeds, measure, missing) for measure in Measure},
        by_seed={measure: share_by_seed(attempts, ids, seeds, measure, missing) for measure in Measure},
        pass_at_k=pass_at_k_curve(attempts, ids, seeds, Measure.ANY_MEDAL, missing),
    )


def _facts(run: Run, attempts: list[Attempt], seeds: list[int]) -> RunFacts:
    config = run.config
    source_of: dict[str, str] = {}
    verified: dict[str, bool] = {}
    for attempt in attempts:
        if attempt.grade is not None:
            source_of[attempt.competition] = attempt.grade.data_source or "unknown"
            verified[attempt.competition] = attempt.grade.data_verified is True
    sources = list(source_of.values())
    return RunFacts(
        name=config.name,
        id=run.id,
        agent=config.agent,
        sandbox=config.sandbox,
        isolated=_isolates(config.sandbox),
        edition=config.edition,
        network=config.network,
        time_limit_seconds=config.time_limit_seconds,
        seeds=seeds,
        image=config.image,
        cpus=config.cpus,
        memory_gb=config.memory_gb,
        versions=run.versions,
        created_at=run.created_at,
        data_sources={source: sources.count(source) for source in sorted(set(sources))},
        verified=sum(verified.values()),
        synthetic=[id_ for id_, source in source_of.items() if source == "synthetic"],
    )


def _isolates(sandbox: str) -> bool | None:
    from mlebench.sandbox import get_sandbox

    try:
        return get_sandbox(sandbox).isolates
    except UsageError:
        return None


def _competition(competition_id: str, known: Competition | None, attempts: list[Attempt]) -> CompetitionSummary:
    grade = next((attempt.grade for attempt in attempts if attempt.grade is not None), None)
    facts = known.facts if known else None
    board = load_leaderboard(known.folder, known.metric.higher_is_better) if known else None
    archived = (
        Thresholds(gold=board.gold, silver=board.silver, bronze=board.bronze, median=board.median) if board else None
    )
    rules = board or grade
    return CompetitionSummary(
        id=competition_id,
        title=facts.title if facts else competition_id,
        group=facts.group if facts else None,
        complexity=facts.complexity if facts else None,
        category=facts.category if facts else None,
        metric=facts.metric.title if facts else None,
        higher_is_better=rules.higher_is_better if rules else None,
        teams=rules.teams if rules else None,
        thresholds=grade.thresholds if grade else archived,
        leaderboard=board,
        synthetic=any(a.grade is not None and a.grade.data_source == "synthetic" for a in attempts),
        statistics=of_competition(attempts),
        attempts=[_attempt(attempt) for attempt in attempts],
    )


def _attempt(attempt: Attempt) -> AttemptSummary:
    grade = attempt.grade
    started, ended = attempt.started_at, attempt.ended_at
    shown = grade if grade is not None and grade.valid and has_result(attempt) else None
    return AttemptSummary(
        id=attempt.id,
        competition=attempt.competition,
        seed=attempt.seed,
        fate=fate_of(attempt),
        end=attempt.end,
        state=attempt.state,
        missing=not has_result(attempt),
        seconds=(ended - started).total_seconds() if started and ended else None,
        validations=attempt.validations,
        grade=grade,
        score=shown.score if shown else None,
        medal=shown.medal.value if shown and shown.medal else None,
        above_median=shown.above_median if shown else False,
        rank=shown.rank if shown else None,
        rank_low=shown.rank_low if shown else None,
        rank_high=shown.rank_high if shown else None,
        percentile=shown.percentile if shown else None,
        reason=grade.reason if grade else None,
        message=" ".join(filter(None, (attempt.message, grade.message if grade and not shown else None))) or None,
    )
