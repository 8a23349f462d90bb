"""Score over time: what each attempt would have had, if it had ended earlier.

At any time the result of an attempt is that of its last snapshot by then, whatever it scored: an agent does not know
its test score, so neither may the report choose by it. From an attempt's own end on it is its final grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from mlebench.grading.report import GradeReport, Outcome
from mlebench.reporting.statistics import Estimate, Measure, Missing, has_result, share
from mlebench.running.records import Attempt, End, State

_HOURS = (1, 3, 6, 12, 24, 48)
_SHOWN = (Measure.ANY_MEDAL, Measure.GOLD, Measure.ABOVE_MEDIAN, Measure.VALID)
_POINTS = 96
_CUT: dict[str, Any] = {"usage": None, "telemetry": None, "exit_code": None, "claim": None}
"""What is known of whole attempts only."""


class Step(BaseModel):
    """From when on an attempt had which result."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    at_seconds: float
    """Since the agent's start."""
    final: bool = False
    """Whether it is the attempt's end; the steps before it are snapshots."""
    score: float | None
    """None where the submission was invalid, or there was none."""
    medal: str | None
    above_median: bool
    percentile: float | None


class Milestone(BaseModel):
    """A run as it stood when each of its attempts had gone on for so long."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    at_seconds: float
    shares: dict[Measure, Estimate]
    medals: int
    """Attempts with any medal."""
    results: int
    """Attempts with a result at that time."""
    attempts: int
    """All that are planned."""
    going: int
    """Attempts that still went on."""


class OverTime(BaseModel):
    """A run's shares over time."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    milestones: list[Milestone]
    medal_curve: list[tuple[float, float]]
    """(seconds, share of competitions with any medal, mean over seeds), ascending; a step at each."""
    snapshots: int
    with_snapshots: int
    """Attempts that have any."""
    attempts: int


def seconds_of(attempt: Attempt) -> float | None:
    """From start to end of the agent; None while it is unknown."""
    if attempt.started_at is None or attempt.ended_at is None:
        return None
    return max(0.0, (attempt.ended_at - attempt.started_at).total_seconds())


def as_of(attempt: Attempt, seconds: float) -> Attempt:
    """The attempt as if its time had been over after so many seconds.

    What had ended by then is unchanged. Of what went on, the last snapshot by then is the submission; without one
    there was none. Where snapshots are not graded (yet), nothing is known: the attempt has no result then.
    """
    took = seconds_of(attempt)
    if attempt.failed or attempt.started_at is None or (took is not None and took <= seconds):
        return attempt
    if attempt.state is not State.DONE or attempt.grade is None:
        return attempt.model_copy(update={"grade": None, **_CUT})
    last = next((one for one in reversed(attempt.snapshots) if one.at_seconds <= seconds), None)
    grade = last.grade if last is not None else _nothing(attempt.grade)
    ended = {"end": End.OUT_OF_TIME, "ended_at": attempt.started_at + timedelta(seconds=seconds), "message": None}
    return attempt.model_copy(update={"grade": grade, **ended, **_CUT})


def _nothing(grade: GradeReport) -> GradeReport:
    """The grade of an attempt that has no submission yet."""
    unset = ("score", "score_exact", "reason", "message", "medal", "rank", "rank_low", "rank_high", "percentile")
    gone: dict[str, Any] = {**dict.fromkeys(unset), "above_median": False, "warnings": [], "submission_sha256": None}
    return grade.model_copy(update={**gone, "outcome": Outcome.NO_SUBMISSION})


def steps_of(attempt: Attempt) -> list[Step]:
    """The attempt's results over time, oldest first; empty where nothing was graded."""
    if not has_result(attempt) or attempt.grade is None:
        return []
    found = [_step(one.at_seconds, one.grade) for one in attempt.snapshots if one.grade is not None]
    took = seconds_of(attempt)
    if took is not None:
        found = [step for step in found if step.at_seconds <= took]
        found.append(_step(took, attempt.grade, final=True))
    return found


def _step(seconds: float, grade: GradeReport, *, final: bool = False) -> Step:
    valid = grade.valid
    return Step(
        at_seconds=round(seconds, 1),
        final=final,
        score=grade.score if valid else None,
        medal=grade.medal.value if valid and grade.medal else None,
        above_median=valid and grade.above_median,
        percentile=grade.percentile if valid else None,
    )


def milestones(limit_seconds: float) -> list[float]:
    """Times that are shown: 1, 3, 6, 12, 24, 48 h and the limit; of an hour or less its 8th, 4th, half and whole."""
    hours = [hour * 3600.0 for hour in _HOURS if hour * 3600.0 < limit_seconds]
    return [*hours, limit_seconds] if hours else [limit_seconds / part for part in (8, 4, 2, 1)]


def over_time(
    attempts: Sequence[Attempt],
    competitions: Sequence[str],
    seeds: Sequence[int],
    limit_seconds: float,
    missing: Missing = Missing.AS_FAILURE,
) -> OverTime | None:
    """How a run's shares grew; None where no attempt has a graded snapshot."""
    with_any = [one for one in attempts if any(snapshot.grade is not None for snapshot in one.snapshots)]
    if not with_any:
        return None
    changes = sorted({step.at_seconds for one in attempts for step in steps_of(one)})
    if len(changes) > _POINTS:
        changes = sorted({changes[round(place * (len(changes) - 1) / (_POINTS - 1))] for place in range(_POINTS)})
    curve: list[tuple[float, float]] = [(0.0, 0.0)]
    for at in changes:
        # A step's time is rounded to tenths; the attempt's end may lie a little behind it.
        now = share([as_of(one, at + 0.05) for one in attempts], competitions, seeds, Measure.ANY_MEDAL, missing).mean
        if now is not None and now != curve[-1][1]:
            curve.append((at, now))
    return OverTime(
        milestones=[_milestone(attempts, competitions, seeds, at, missing) for at in milestones(limit_seconds)],
        medal_curve=curve,
        snapshots=sum(len(one.snapshots) for one in attempts),
        with_snapshots=len(with_any),
        attempts=len(competitions) * len(seeds),
    )


def _milestone(
    attempts: Sequence[Attempt], competitions: Sequence[str], seeds: Sequence[int], at: float, missing: Missing
) -> Milestone:
    then = [as_of(one, at) for one in attempts]
    return Milestone(
        at_seconds=at,
        shares={measure: share(then, competitions, seeds, measure, missing) for measure in _SHOWN},
        medals=sum(has_result(one) and one.grade is not None and one.grade.medal is not None for one in then),
        results=sum(map(has_result, then)),
        attempts=len(competitions) * len(seeds),
        going=sum((took := seconds_of(one)) is None or took > at for one in attempts if one.started_at is not None),
    )
