"""Constructed runs: attempts with grades from a real Leaderboard, without running anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlebench.grading.leaderboard import Leaderboard
from mlebench.grading.report import GradeReport, Outcome, Thresholds
from mlebench.running.records import Attempt, End, RunConfig, Snapshot, State
from mlebench.running.store import Run

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
BOARD = Leaderboard(
    True, 100, 0.9, 0.8, 0.7, 0.5, "Made up for tests.", "2026-01-01", "",
    (1, 10, 20, 40, 50, 100), (0.95, 0.9, 0.8, 0.7, 0.5, 0.0),
)  # fmt: skip


def make_grade(competition: str, score: float | None, board: Leaderboard = BOARD, **changes: Any) -> GradeReport:
    """The grade of a score; without one, of an attempt that left no submission."""
    standing = board.standing(score) if score is not None else None
    values: dict[str, Any] = {
        "competition": competition,
        "outcome": Outcome.NO_SUBMISSION if score is None else Outcome.GRADED,
        "score": score,
        "medal": board.medal(score) if score is not None else None,
        "above_median": score is not None and board.above_median(score),
        "thresholds": Thresholds(gold=board.gold, silver=board.silver, bronze=board.bronze, median=board.median),
        "rank": standing and standing.rank,
        "rank_low": standing and standing.rank_low,
        "rank_high": standing and standing.rank_high,
        "percentile": standing and standing.percentile,
        "teams": board.teams,
        "higher_is_better": board.higher_is_better,
        "submission_path": "submission.csv",
        "data_source": "kaggle",
        "data_verified": True,
        "created_at": START,
    }
    return GradeReport(**{**values, **changes})


def make_attempt(
    competition: str,
    seed: int,
    grade: GradeReport | None,
    *,
    end: End | None = End.FINISHED,
    state: State = State.DONE,
    message: str | None = None,
) -> Attempt:
    """A finished attempt, or another one."""
    return Attempt(
        id=f"{competition}-s{seed}",
        competition=competition,
        seed=seed,
        state=state,
        end=end,
        created_at=START,
        started_at=START,
        ended_at=START + timedelta(minutes=5),
        message=message,
        grade=grade,
    )


def make_run(attempts: list[Attempt], name: str = "trial", **changes: Any) -> Run:
    """A run of these attempts."""
    values: dict[str, Any] = {
        "name": name,
        "agent": "dummy",
        "sandbox": "docker",
        "competitions": list(dict.fromkeys(attempt.competition for attempt in attempts)),
        "seeds": sorted({attempt.seed for attempt in attempts}),
        "time_limit_seconds": 24 * 3600.0,
        "data_dir": "/data",
    }
    config = RunConfig(**{**values, **changes})
    return Run(Path("/runs") / name, "r1", config, {"mlebench": "0.1", "python": "3.11"}, START, attempts)


def make_snapshots(competition: str, points: list[tuple[float, float | None]]) -> list[Snapshot]:
    """Graded snapshots at (seconds, score); without a score the submission was invalid."""
    return [
        Snapshot(
            number=number,
            at_seconds=at,
            sha256="0" * 64,
            bytes=10,
            grade=make_grade(competition, score)
            if score is not None
            else make_grade(competition, None, outcome=Outcome.INVALID, reason="row_count"),
        )
        for number, (at, score) in enumerate(points, 1)
    ]


def make_long_attempt(
    competition: str, seed: int, points: list[tuple[float, float | None]], hours: float, **changes: Any
) -> Attempt:
    """An attempt of so many hours with snapshots, the last of which is its final submission."""
    last = points[-1][1] if points else None
    attempt = make_attempt(competition, seed, make_grade(competition, last))
    fields = {"ended_at": START + timedelta(hours=hours), "snapshots": make_snapshots(competition, points)}
    return attempt.model_copy(update={**fields, **changes})
