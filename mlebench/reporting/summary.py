"""Making the report of one run from its attempts and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlebench.errors import UsageError
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.grading.report import Thresholds
from mlebench.reporting.consumption import gpu_hours, machine_totals, model_totals
from mlebench.reporting.fates import count_ends, count_fates, fate_of
from mlebench.reporting.model import AttemptSummary, CompetitionSummary, RunFacts, RunSummary, SummaryRow
from mlebench.reporting.overtime import as_of, over_time, seconds_of, steps_of
from mlebench.reporting.statistics import (
    Measure,
    Missing,
    has_result,
    missing_by_seed,
    of_competition,
    pass_at_k_curve,
    share,
    share_by_seed,
)
from mlebench.running.records import Attempt

if TYPE_CHECKING:
    from mlebench.competition import Competition, Facts
    from mlebench.registry import Registry
    from mlebench.running.store import Run

SPLIT_OF_ROW = {"benchmark": "all", "development": "dev"}
"""Summary rows whose split has another name; the others have their own."""


def summarise(
    run: Run, registry: Registry, missing: Missing = Missing.AS_FAILURE, at_seconds: float | None = None
) -> RunSummary:
    """Everything a report shows about a run; a run that is still going on can be summarised too.

    `at_seconds`: as if every attempt had ended after so long (mlebench.reporting.overtime); UsageError for a run
    that took no snapshots.
    """
    planned = list(dict.fromkeys([*run.config.competitions, *(a.competition for a in run.attempts)]))
    known = {competition_id: _lookup(registry, competition_id) for competition_id in planned}
    attempts = sorted(run.attempts, key=lambda a: (planned.index(a.competition), a.seed))
    seeds = list(dict.fromkeys([*run.config.seeds, *(a.seed for a in attempts)]))
    whole, config = attempts, run.config
    if at_seconds is not None:
        if config.snapshot_seconds <= 0:
            raise UsageError(f"The run {config.name} took no snapshots: only its end can be reported.")
        attempts = [as_of(attempt, at_seconds) for attempt in whole]
    cut = at_seconds is not None
    made_up = {one.competition for one in attempts if one.grade is not None and one.grade.synthetic}
    rows = [
        _row(name, ids, attempts, seeds, missing, _split_size(registry, name), made_up)
        for name, ids in _row_members(planned, known).items()
    ]
    return RunSummary(
        run=_facts(run, attempts, seeds, made_up),
        at_seconds=at_seconds,
        missing_rule=missing,
        rows=rows,
        fates=count_fates(attempts),
        ends=count_ends(attempts),
        over_time=None if cut else over_time(whole, planned, seeds, config.time_limit_seconds, missing),
        models=None if cut else model_totals(whole),
        machine=None if cut else machine_totals(whole, config.attempts_per_gpu),
        competitions=[
            _competition(
                id_,
                known[id_],
                [a for a in attempts if a.competition == id_],
                config.attempts_per_gpu,
                synthetic=id_ in made_up,
            )
            for id_ in planned
        ],
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
    name: str,
    ids: list[str],
    attempts: list[Attempt],
    seeds: list[int],
    missing: Missing,
    split_size: int | None,
    made_up: set[str],
) -> SummaryRow:
    absent = missing_by_seed(attempts, ids, seeds)
    without_result = {competition for names in absent.values() for competition in names}
    return SummaryRow(
        name=name,
        competitions=len(ids),
        competitions_with_result=len(ids) - len(without_result),
        competitions_synthetic=len(made_up.intersection(ids)),
        competitions_in_split=split_size,
        attempts=len(ids) * len(seeds),
        attempts_missing=sum(map(len, absent.values())),
        missing_by_seed=absent,
        shares={measure: share(attempts, ids, seeds, measure, missing) for measure in Measure},
        by_seed={measure: share_by_seed(attempts, ids, seeds, measure, missing) for measure in Measure},
        pass_at_k=pass_at_k_curve(attempts, ids, seeds, Measure.ANY_MEDAL, missing),
    )


def _facts(run: Run, attempts: list[Attempt], seeds: list[int], made_up: set[str]) -> RunFacts:
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
        model=config.model,
        role_models=config.role_models,
        replay=config.replay.value,
        budget_usd=config.budget_usd,
        budget_tokens=config.budget_tokens,
        budget_calls=config.budget_calls,
        step_limit=config.step_limit,
        gpus_per_attempt=config.gpus_per_attempt,
        attempts_per_gpu=config.attempts_per_gpu,
        runtime=config.runtime,
        time_limit_seconds=config.time_limit_seconds,
        seeds=seeds,
        image=config.image,
        image_ids=sorted({one.image_id for one in attempts if one.image_id}),
        cpus=config.cpus,
        memory_gb=config.memory_gb or _one({one.share.memory_gb for one in attempts if one.share}),
        versions=run.versions,
        created_at=run.created_at,
        data_sources={source: sources.count(source) for source in sorted(set(sources))},
        verified=sum(verified.values()),
        synthetic=[id_ for id_ in source_of if id_ in made_up],
    )


def _one(values: set[float | None]) -> float | None:
    """What all attempts have alike; None where they differ or nobody knows."""
    return values.pop() if len(values) == 1 else None


def _isolates(sandbox: str) -> bool | None:
    from mlebench.sandbox import get_sandbox

    try:
        return get_sandbox(sandbox).isolates
    except UsageError:
        return None


def _competition(
    competition_id: str, known: Competition | None, attempts: list[Attempt], attempts_per_gpu: int, *, synthetic: bool
) -> CompetitionSummary:
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
        synthetic=synthetic,
        statistics=of_competition(attempts),
        attempts=[_attempt(attempt, attempts_per_gpu) for attempt in attempts],
    )


def _attempt(attempt: Attempt, attempts_per_gpu: int) -> AttemptSummary:
    grade, usage = attempt.grade, attempt.usage
    shown = grade if grade is not None and grade.valid and has_result(attempt) else None
    return AttemptSummary(
        id=attempt.id,
        competition=attempt.competition,
        seed=attempt.seed,
        fate=fate_of(attempt),
        end=attempt.end,
        state=attempt.state,
        missing=not has_result(attempt),
        seconds=seconds_of(attempt),
        validations=attempt.validations,
        calls=usage.calls if usage else None,
        tokens=usage.tokens_in + usage.tokens_out if usage else None,
        usd=usage.usd if usage else None,
        gpu_hours=gpu_hours(attempt, attempts_per_gpu),
        energy_kwh=attempt.telemetry.energy_kwh if attempt.telemetry else None,
        steps=steps_of(attempt),
        bundle=attempt.bundle,
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
