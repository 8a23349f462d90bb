"""Score over time: what an attempt had at a moment, and what a run amounts to then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import BOARD, make_attempt, make_grade, make_long_attempt, make_run

from mlebench.errors import UsageError
from mlebench.grading.report import Outcome, Thresholds
from mlebench.registry import Registry
from mlebench.reporting.overtime import as_of, milestones, over_time, steps_of
from mlebench.reporting.sketch import sparkline
from mlebench.reporting.statistics import Measure, Missing, has_result
from mlebench.reporting.summary import summarise
from mlebench.reporting.terminal import print_report
from mlebench.running.records import End, State

HOUR = 3600.0
POINTS = [(HOUR, 0.75), (2 * HOUR, 0.95), (3 * HOUR, None), (4 * HOUR, 0.85)]


def test_at_a_time_the_last_snapshot_counts_whatever_it_scored() -> None:
    attempt = make_long_attempt("apple", 0, POINTS, hours=5)
    told = []
    for hours in (0.5, 1, 1.99, 2, 3, 4.5, 5, 24):
        then = as_of(attempt, hours * HOUR)
        assert then.grade is not None
        told.append((then.grade.outcome, then.grade.score, then.end))
    stopped = End.OUT_OF_TIME
    assert told == [
        (Outcome.NO_SUBMISSION, None, stopped),
        (Outcome.GRADED, 0.75, stopped),
        (Outcome.GRADED, 0.75, stopped),
        (Outcome.GRADED, 0.95, stopped),
        (Outcome.INVALID, None, stopped),  # not the 0.95 before it
        (Outcome.GRADED, 0.85, stopped),
        (Outcome.GRADED, 0.85, End.FINISHED),
        (Outcome.GRADED, 0.85, End.FINISHED),
    ]
    nothing = as_of(attempt, 60).grade
    assert nothing is not None and nothing.medal is None and nothing.rank is None and not nothing.above_median


def test_what_is_not_known_then_is_missing() -> None:
    attempt = make_long_attempt("apple", 0, POINTS, hours=5)
    ungraded = attempt.snapshots[0].model_copy(update={"grade": None})
    assert not has_result(as_of(attempt.model_copy(update={"snapshots": [ungraded]}), HOUR))
    running = attempt.model_copy(update={"state": State.RUNNING, "ended_at": None, "grade": None, "end": None})
    assert not has_result(as_of(running, HOUR))
    failed = attempt.model_copy(update={"end": End.INFRASTRUCTURE, "grade": None})
    assert as_of(failed, HOUR) is failed
    queued = make_attempt("apple", 0, None, end=None).model_copy(update={"started_at": None})
    assert as_of(queued, HOUR) is queued


@given(st.lists(st.tuples(st.floats(1, 80_000), st.none() | st.floats(0, 1)), max_size=12), st.floats(0, 90_000))
def test_a_report_of_a_time_knows_nothing_of_later(points: list[tuple[float, float | None]], at: float) -> None:
    points = sorted(points, key=lambda point: point[0])
    attempt = make_long_attempt("apple", 0, [*points, (85_000, 0.9)], hours=24)
    then = as_of(attempt, at)
    by_then = [score for when, score in [*points, (85_000, 0.9)] if when <= at]
    assert then.grade is not None
    if at >= 24 * HOUR:
        assert then is attempt
    elif by_then:
        assert then.grade.score == by_then[-1]
    else:
        assert then.grade.outcome is Outcome.NO_SUBMISSION


def test_steps_end_with_the_attempt() -> None:
    steps = steps_of(make_long_attempt("apple", 0, POINTS, hours=5))
    assert [(step.at_seconds, step.score, step.medal, step.final) for step in steps] == [
        (HOUR, 0.75, "bronze", False),
        (2 * HOUR, 0.95, "gold", False),
        (3 * HOUR, None, None, False),
        (4 * HOUR, 0.85, "silver", False),
        (5 * HOUR, 0.85, "silver", True),
    ]
    assert steps_of(make_attempt("apple", 0, None, end=None)) == []


@pytest.mark.parametrize(
    ("limit", "times"),
    [(24, [1, 3, 6, 12, 24]), (12, [1, 3, 6, 12]), (5, [1, 3, 5]), (1, [0.125, 0.25, 0.5, 1]), (72, [1, 3, 6, 12, 24, 48, 72])],
)  # fmt: skip
def test_milestones(limit: float, times: list[float]) -> None:
    assert milestones(limit * HOUR) == [at * HOUR for at in times]


def test_a_run_over_time() -> None:
    attempts = [
        make_long_attempt("apple", 0, POINTS, hours=5),
        make_long_attempt("apple", 1, [(2 * HOUR, 0.2), (10 * HOUR, 0.95)], hours=20),
        make_long_attempt("cherry", 0, [(7 * HOUR, 0.85)], hours=8),
        make_attempt("cherry", 1, None, end=End.INFRASTRUCTURE),
    ]
    told = over_time(attempts, ["apple", "cherry"], [0, 1], 24 * HOUR)
    assert told is not None
    assert [(point.medals, point.results, point.going) for point in told.milestones] == [
        (1, 3, 3),
        (0, 3, 3),  # the invalid one counts
        (1, 3, 2),
        (3, 3, 1),
        (3, 3, 0),
    ]
    assert [point.shares[Measure.ANY_MEDAL].mean for point in told.milestones] == [0.25, 0.0, 0.25, 0.75, 0.75]
    assert all(point.attempts == 4 for point in told.milestones)
    assert (told.snapshots, told.with_snapshots, told.attempts) == (7, 3, 4)
    assert told.medal_curve == [
        (0.0, 0.0), (HOUR, 0.25), (3 * HOUR, 0.0), (4 * HOUR, 0.25), (7 * HOUR, 0.5), (10 * HOUR, 0.75),
    ]  # fmt: skip
    available = over_time(attempts, ["apple", "cherry"], [0, 1], 24 * HOUR, Missing.AVAILABLE)
    assert available is not None and available.milestones[-1].shares[Measure.ANY_MEDAL].mean == 1.0


def test_a_run_without_snapshots_has_no_time() -> None:
    assert over_time([make_attempt("apple", 0, make_grade("apple", 0.9))], ["apple"], [0], HOUR) is None


def test_a_report_of_an_earlier_time_is_recomputed_as_a_whole(registry: Registry) -> None:
    run = make_run([make_long_attempt("apple", seed, POINTS, hours=5) for seed in (0, 1)])
    whole, early = summarise(run, registry), summarise(run, registry, at_seconds=HOUR)
    assert whole.at_seconds is None and whole.over_time is not None
    assert early.at_seconds == HOUR and early.over_time is early.models is early.machine is None
    assert whole.headline.shares[Measure.SILVER].mean == 1.0
    assert early.headline.shares[Measure.BRONZE].mean == 1.0 and early.headline.shares[Measure.SILVER].mean == 0.0
    assert early.to_json()["total_bronze_medals"] == 2 and early.to_json()["report"]["at_seconds"] == HOUR
    assert [(one.end, one.seconds) for one in early.attempts] == [(End.OUT_OF_TIME, HOUR)] * 2
    nothing = summarise(run, registry, at_seconds=60.0)
    assert [count.fate.value for count in nothing.fates] == ["out_of_time"]
    at_the_end = summarise(run, registry, at_seconds=5 * HOUR)
    assert at_the_end.headline == whole.headline


def test_without_snapshots_an_earlier_time_is_refused(registry: Registry) -> None:
    run = make_run([make_attempt("apple", 0, make_grade("apple", 0.9))], snapshot_seconds=0.0)
    with pytest.raises(UsageError, match="took no snapshots"):
        summarise(run, registry, at_seconds=HOUR)


def test_the_verb_marks_every_output(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from mlebench.cli import verbs  # noqa: F401
    from mlebench.cli.app import app
    from mlebench.running.store import RunStore

    monkeypatch.setenv("MLEBENCH_COMPETITIONS_DIR", str(registry.dirs[-1]))
    run = make_run([make_long_attempt("apple", 0, POINTS, hours=5)], name="long", network="full")
    RunStore.create(tmp_path / "runs" / "long", run.config, run.attempts).close()
    options = ["report", "long", "--runs-dir", str(tmp_path / "runs"), "--at", "1h"]
    page = tmp_path / "r.html"
    shown = CliRunner().invoke(app, [*options, "--html", str(page)], catch_exceptions=False).output
    flat = " ".join(shown.split())
    assert "Not the end of the run." in flat and "ended after 1 h" in flat and "full network" in flat
    html = page.read_text()
    assert "as of 1 h" in html and "Not the end of the run" in html and "full network" in html
    told = json.loads(CliRunner().invoke(app, [*options, "--json"], catch_exceptions=False).output)["report"]
    assert told["at_seconds"] == HOUR and told["run"]["network"] == "full"
    with pytest.raises(UsageError, match="length of time"):
        CliRunner().invoke(app, [*options[:-1], "soon"], catch_exceptions=False)


def test_a_sparkline_tells_when_which_score_was_reached() -> None:
    board = Thresholds(gold=BOARD.gold, silver=BOARD.silver, bronze=BOARD.bronze, median=BOARD.median)
    points = [(1.0 * HOUR, 0.3), (2 * HOUR, 0.7), (3 * HOUR, None), (4 * HOUR, 0.899), (5 * HOUR, 0.9)]
    steps = steps_of(make_long_attempt("apple", 0, points, hours=6))
    assert sparkline(steps, board, 8 * HOUR, higher_is_better=True, width=8) == "▁▄·▇██  "
    assert sparkline(steps, board, 4 * HOUR, higher_is_better=True, width=4) == "▁▄·▇"
    assert sparkline([], board, HOUR, higher_is_better=True, width=3) == "···"
    lower = Thresholds(gold=0.1, silver=0.2, bronze=0.3, median=0.5)
    assert sparkline(steps[:1], lower, 2 * HOUR, higher_is_better=False, width=2) == "▄▄"
    flat = Thresholds(gold=0.3, silver=0.3, bronze=0.3, median=0.3)
    assert sparkline(steps[:1], flat, HOUR, higher_is_better=True, width=1) == "█"


def test_the_terminal_shows_curves(registry: Registry) -> None:
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    run = make_run([make_long_attempt("apple", seed, POINTS, hours=5) for seed in range(30)])
    print_report(Console(file=out, width=140), [summarise(run, registry)])
    shown = out.getvalue()
    assert "the first 24 of 30 attempts" in shown and "apple-s23" in shown and "apple-s24" not in shown
    assert "0.85 silver" in shown
