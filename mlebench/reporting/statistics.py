"""Every formula of a report, once: pure functions over attempts.

An attempt is one (competition, seed) cell of a run. It has a *result* when it was graded, whatever the outcome
(scored, invalid, no submission); it is *missing* while it is unfinished and when a fault of ours (sandbox, grader)
left it without one. See docs/reporting.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev
from typing import Protocol, TypeVar

from mlebench.grading.leaderboard import Medal
from mlebench.grading.report import GradeReport, Outcome


class Measure(StrEnum):
    """What an attempt can earn; each share is a share of competitions."""

    SUBMITTED = "submitted"
    VALID = "valid"
    ABOVE_MEDIAN = "above_median"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    ANY_MEDAL = "any_medal"


class Missing(StrEnum):
    """How attempts without a result enter a seed's share."""

    AS_FAILURE = "failure"
    """They earn nothing and stay in the denominator ("padded"); the default."""
    AVAILABLE = "available"
    """They leave the denominator: each seed's share is over the competitions that have a result."""
    COMPLETE = "complete"
    """Seeds with a missing competition are left out as a whole."""


class Graded(Protocol):
    """What statistics need to know of an attempt (`mlebench.running.records.Attempt` is one)."""

    competition: str
    seed: int
    grade: GradeReport | None

    @property
    def failed(self) -> bool:
        """Whether a fault of ours keeps it without a result."""
        ...


_Attempt = TypeVar("_Attempt", bound=Graded)


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its standard error; shares lie in [0, 1]."""

    mean: float | None
    """None where there is no seed to average."""
    sem: float | None
    """Standard error of the mean, sd / sqrt(k) with ddof = 1; none (undefined) for fewer than two seeds."""
    seeds: int
    """k, how many seeds were averaged."""


@dataclass(frozen=True)
class CompetitionStatistics:
    """One competition over all its attempts."""

    attempts: int
    results: int
    """Attempts that have a result."""
    scored: int
    """Attempts with a valid submission."""
    valid_rate: float | None
    """scored / results; none without results."""
    best_score: float | None
    mean_score: float | None
    """Over scored attempts."""
    above_median: int
    bronze: int
    silver: int
    gold: int
    mean_percentile: float | None
    """Over scored attempts whose percentile is known."""
    best_rank: int | None
    """Best estimated rank."""

    @property
    def medals(self) -> int:
        """Attempts that earned any medal."""
        return self.bronze + self.silver + self.gold


def has_result(attempt: Graded | None) -> bool:
    """Whether the attempt was graded and no fault of ours spoilt it."""
    return attempt is not None and attempt.grade is not None and not attempt.failed


def earns(attempt: Graded | None, measure: Measure) -> bool:
    """Whether an attempt earns what is measured: without a result nothing, and only its highest medal."""
    if attempt is None or attempt.grade is None or not has_result(attempt):
        return False
    grade = attempt.grade
    match measure:
        case Measure.SUBMITTED:
            return grade.outcome is not Outcome.NO_SUBMISSION
        case Measure.VALID:
            return grade.valid
        case Measure.ABOVE_MEDIAN:
            return grade.above_median
        case Measure.ANY_MEDAL:
            return grade.medal is not None
        case _:
            return grade.medal == Medal(measure.value)


def mean_and_sem(values: Sequence[float]) -> Estimate:
    """Mean and standard error of the mean: sem = sqrt(sum((x - mean)^2) / (k - 1)) / sqrt(k), k >= 2."""
    k = len(values)
    mean = fmean(values) if k else None
    return Estimate(mean, stdev(values) / math.sqrt(k) if k > 1 else None, k)


def share_by_seed(
    attempts: Iterable[_Attempt],
    competitions: Sequence[str],
    seeds: Sequence[int],
    measure: Measure,
    missing: Missing = Missing.AS_FAILURE,
) -> dict[int, float]:
    """Share of `competitions` in which each seed earns `measure`; seeds without a defined share are absent."""
    cells = _cells(attempts)
    shares: dict[int, float] = {}
    for seed in seeds:
        known = [c for c in competitions if has_result(cells.get((c, seed)))]
        if missing is Missing.COMPLETE and len(known) < len(competitions):
            continue
        over = competitions if missing is Missing.AS_FAILURE else known
        if over:
            shares[seed] = sum(earns(cells.get((c, seed)), measure) for c in over) / len(over)
    return shares


def share(
    attempts: Iterable[_Attempt],
    competitions: Sequence[str],
    seeds: Sequence[int],
    measure: Measure,
    missing: Missing = Missing.AS_FAILURE,
) -> Estimate:
    """Mean ± standard error over seeds of `share_by_seed`."""
    return mean_and_sem(list(share_by_seed(attempts, competitions, seeds, measure, missing).values()))


def missing_by_seed(
    attempts: Iterable[_Attempt], competitions: Sequence[str], seeds: Sequence[int]
) -> dict[int, list[str]]:
    """Competitions without a result, for each seed that has any such."""
    cells = _cells(attempts)
    absent = {seed: [c for c in competitions if not has_result(cells.get((c, seed)))] for seed in seeds}
    return {seed: names for seed, names in absent.items() if names}


def pass_at_k(n: int, c: int, k: int) -> float:
    """Chance that at least one of k attempts drawn from n, of which c succeeded, succeeds: 1 - C(n-c, k) / C(n, k)."""
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass@k needs 0 <= c <= n and 1 <= k <= n, not n={n}, c={c}, k={k}")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_at_k_curve(
    attempts: Iterable[_Attempt],
    competitions: Sequence[str],
    seeds: Sequence[int],
    measure: Measure = Measure.ANY_MEDAL,
    missing: Missing = Missing.AS_FAILURE,
) -> dict[int, float]:
    """Mean over competitions of `pass_at_k`, for k = 1 ... n/2 where the estimator is steady.

    n is the number of attempts at a competition: all seeds when missing ones count as failures, else those with a
    result (competitions without any are left out, and the smallest n bounds k).
    """
    cells = _cells(attempts)
    counts: list[tuple[int, int]] = []
    for competition in competitions:
        tries = [cells.get((competition, seed)) for seed in seeds]
        if missing is not Missing.AS_FAILURE:
            tries = [attempt for attempt in tries if has_result(attempt)]
        if tries:
            counts.append((len(tries), sum(earns(attempt, measure) for attempt in tries)))
    smallest = min((n for n, _ in counts), default=0)
    return {k: fmean(pass_at_k(n, c, k) for n, c in counts) for k in range(1, smallest // 2 + 1)}


def of_competition(attempts: Sequence[Graded]) -> CompetitionStatistics:
    """Statistics of one competition's attempts."""
    grades = [attempt.grade for attempt in attempts if attempt.grade is not None and has_result(attempt)]
    scored = [grade for grade in grades if grade.valid]
    scores = [grade.score for grade in scored if grade.score is not None]
    percentiles = [grade.percentile for grade in scored if grade.percentile is not None]

    def count(measure: Measure) -> int:
        return sum(earns(attempt, measure) for attempt in attempts)

    return CompetitionStatistics(
        attempts=len(attempts),
        results=len(grades),
        scored=len(scored),
        valid_rate=len(scored) / len(grades) if grades else None,
        best_score=(max if scored and scored[0].higher_is_better else min)(scores, default=None),
        mean_score=fmean(scores) if scores else None,
        above_median=count(Measure.ABOVE_MEDIAN),
        bronze=count(Measure.BRONZE),
        silver=count(Measure.SILVER),
        gold=count(Measure.GOLD),
        mean_percentile=fmean(percentiles) if percentiles else None,
        best_rank=min((grade.rank for grade in scored if grade.rank is not None), default=None),
    )


def _cells(attempts: Iterable[_Attempt]) -> dict[tuple[str, int], _Attempt]:
    return {(attempt.competition, attempt.seed): attempt for attempt in attempts}
