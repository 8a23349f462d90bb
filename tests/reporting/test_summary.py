"""From a run and a registry to the report's model and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from made_runs import make_attempt, make_grade, make_run

from mlebench.errors import Reason
from mlebench.grading.report import Outcome
from mlebench.registry import Registry
from mlebench.reporting.fates import Fate, count_fates, fate_of
from mlebench.reporting.model import RunSummary
from mlebench.reporting.statistics import Measure, Missing
from mlebench.reporting.summary import summarise
from mlebench.reporting.wording import warnings
from mlebench.running.records import Attempt, End, State


def _attempts() -> list[Attempt]:
    return [
        make_attempt("apple", 0, make_grade("apple", 0.9)),
        make_attempt("apple", 1, make_grade("apple", 0.7), end=End.OUT_OF_TIME),
        make_attempt("cherry", 0, make_grade("cherry", 0.1)),
        make_attempt("cherry", 1, None, end=End.INFRASTRUCTURE, message="The engine did not answer."),
        make_attempt("mine", 0, make_grade("mine", None), end=End.CRASHED),
        make_attempt("mine", 1, make_grade("mine", None, outcome=Outcome.INVALID, reason=Reason.MISSING_IDS)),
    ]


def test_rows_by_complexity_by_group_and_over_everything(registry: Registry) -> None:
    summary = summarise(make_run(_attempts()), registry)
    assert [row.name for row in summary.rows] == ["low", "high", "benchmark", "own", "run"]
    low, _, benchmark, own, run = summary.rows
    assert (low.competitions, low.competitions_in_split) == (1, 2)
    assert (benchmark.competitions, benchmark.competitions_in_split, own.competitions_in_split) == (2, 3, None)
    assert (run.competitions, run.competitions_with_result, run.attempts, run.attempts_missing) == (3, 2, 6, 1)
    assert run.missing_by_seed == {1: ["cherry"]}
    assert low.by_seed[Measure.ANY_MEDAL] == {0: 1.0, 1: 1.0}
    assert run.shares[Measure.ANY_MEDAL].mean == pytest.approx(1 / 3)


def test_one_group_needs_no_row_over_everything(registry: Registry) -> None:
    summary = summarise(make_run(_attempts()[:2]), registry)
    assert [row.name for row in summary.rows] == ["low", "benchmark"]
    assert summary.headline.name == "benchmark"


@pytest.mark.parametrize("rule", list(Missing))
def test_the_rule_for_missing_attempts_is_kept(registry: Registry, rule: Missing) -> None:
    summary = summarise(make_run(_attempts()), registry, rule)
    share = {Missing.AS_FAILURE: 1 / 3, Missing.AVAILABLE: (1 / 3 + 1 / 2) / 2, Missing.COMPLETE: 1 / 3}[rule]
    assert summary.missing_rule is rule
    assert summary.headline.shares[Measure.ANY_MEDAL].mean == pytest.approx(share)


def test_json_has_the_published_totals_and_reads_back(registry: Registry) -> None:
    document = json.loads(json.dumps(summarise(make_run(_attempts()), registry).to_json(), allow_nan=False))
    published = {
        "total_runs": 5,
        "total_runs_with_submissions": 4,
        "total_valid_submissions": 3,
        "total_medals": 2,
        "total_gold_medals": 1,
        "total_silver_medals": 0,
        "total_bronze_medals": 1,
        "total_above_median": 2,
    }
    assert {key: document[key] for key in published} == published
    assert {report["competition_id"] for report in document["competition_reports"]} == {"apple", "cherry", "mine"}
    attempt = document["report"]["competitions"][0]["attempts"][0]
    assert (attempt["score"], attempt["medal"], attempt["fate"]) == (0.9, "gold", "scored")
    assert document["report"]["rows"][-1]["shares"]["any_medal"]["seeds"] == 2


@pytest.mark.parametrize(
    ("make", "fate"),
    [
        (lambda: make_attempt("a", 0, make_grade("a", 0.5), end=End.OUT_OF_TIME), Fate.SCORED),
        (lambda: make_attempt("a", 0, make_grade("a", None)), Fate.NO_SUBMISSION),
        (lambda: make_attempt("a", 0, make_grade("a", None), end=End.OUT_OF_TIME), Fate.OUT_OF_TIME),
        (lambda: make_attempt("a", 0, make_grade("a", None), end=End.CRASHED), Fate.CRASHED),
        (lambda: make_attempt("a", 0, make_grade("a", None), end=End.OUT_OF_MEMORY), Fate.OUT_OF_MEMORY),
        (lambda: make_attempt("a", 0, make_grade("a", None), end=End.OUT_OF_DISK), Fate.OUT_OF_DISK),
        (lambda: make_attempt("a", 0, make_grade("a", None, outcome=Outcome.INVALID)), Fate.INVALID),
        (lambda: make_attempt("a", 0, make_grade("a", None, outcome=Outcome.GRADER_ERROR)), Fate.GRADER_ERROR),
        (lambda: make_attempt("a", 0, None, end=End.INFRASTRUCTURE), Fate.INFRASTRUCTURE),
        (lambda: make_attempt("a", 0, None, end=End.CANCELLED), Fate.CANCELLED),
        (lambda: make_attempt("a", 0, None, end=None, state=State.RUNNING), Fate.UNFINISHED),
    ],
)
def test_fates(make: Callable[[], Attempt], fate: Fate) -> None:
    assert fate_of(make()) is fate


def test_fates_add_up_to_all_attempts_and_tell_reasons_apart() -> None:
    attempts = _attempts()
    counts = count_fates(attempts)
    assert sum(count.count for count in counts) == len(attempts)
    assert sum(count.share for count in counts) == pytest.approx(1.0)
    assert [(c.fate, c.reason) for c in counts if c.fate is Fate.INVALID] == [(Fate.INVALID, "missing_ids")]


def _labels(summary: RunSummary) -> list[str]:
    return [label for label, _ in warnings(summary)]


def test_a_reader_is_warned_of_what_spoils_a_comparison(registry: Registry) -> None:
    clean = [make_attempt("apple", 0, make_grade("apple", 0.9))]
    assert _labels(summarise(make_run(clean), registry)) == []
    made_up = [make_attempt("apple", 0, make_grade("apple", 0.9, data_source="synthetic"))]
    spoilt = summarise(make_run(made_up, sandbox="process"), registry)
    assert _labels(spoilt) == ["Synthetic data", "Not isolated"]
    assert spoilt.run.synthetic == ["apple"]
    assert _labels(summarise(make_run(clean, network="full"), registry)) == ["Network"]
    assert _labels(summarise(make_run(clean, seeds=[0, 1]), registry)) == ["Missing"]


def test_a_competition_the_registry_does_not_know_is_reported_from_its_grade(registry: Registry) -> None:
    attempts = [make_attempt("gone", 0, make_grade("gone", 0.9)), make_attempt("vanished", 0, None, end=None)]
    gone, vanished = summarise(make_run(attempts), registry).competitions
    assert gone.group is None and gone.thresholds is not None and gone.statistics.gold == 1
    assert vanished.thresholds is None


def test_a_run_that_has_not_begun(registry: Registry) -> None:
    attempts = [make_attempt("apple", 0, None, end=None, state=State.QUEUED)]
    summary = summarise(make_run(attempts), registry)
    assert summary.headline.attempts_missing == 1
    assert summary.to_json()["total_runs"] == 0
