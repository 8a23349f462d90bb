"""What a run consumed: every sum over those attempts of which it is known, and how many these are."""

from __future__ import annotations

from typing import Any

import pytest
from made_runs import make_attempt, make_grade, make_run

from mlebench import text
from mlebench.gateway.api import Spent, Usage
from mlebench.hardware.api import Share, Telemetry
from mlebench.registry import Registry
from mlebench.reporting import wording
from mlebench.reporting.consumption import gpu_hours, machine_totals, model_totals
from mlebench.reporting.fates import Fate, count_ends, fate_of
from mlebench.reporting.html import render_page
from mlebench.reporting.summary import summarise
from mlebench.running.records import Attempt, End


def _attempt(seed: int, score: float | None, usage: Usage | None = None, **changes: Any) -> Attempt:
    attempt = make_attempt("apple", seed, make_grade("apple", score))
    return attempt.model_copy(update={"usage": usage, **changes})


ATTEMPTS = [
    _attempt(0, 0.95, Usage(calls=10, tokens_in=100, tokens_out=20, usd=1.5, models={"a/b": 8, "a/c": 2}, spent={"a/b": Spent(tokens_in=90, tokens_out=19, usd=1.4), "a/c": Spent(tokens_in=10, tokens_out=1, usd=0.1)})),
    _attempt(1, 0.2, Usage(calls=4, errors=1, refused=2, tokens_in=50, tokens_out=5, usd=0.5, models={"a/b": 4}, exhausted="usd", spent={"a/b": Spent(tokens_in=50, tokens_out=5, usd=0.5)})),
    _attempt(2, 0.95, Usage(calls=1, tokens_in=7, tokens_out=1, usd=None, unpriced=["x/y"], models={"x/y": 1}, spent={"x/y": Spent(tokens_in=7, tokens_out=1, usd=None)})),
    _attempt(3, 0.95),
]  # fmt: skip


def test_sums_are_over_what_is_known() -> None:
    totals = model_totals(ATTEMPTS)
    assert totals is not None
    assert (totals.attempts, totals.of, totals.priced, totals.medals) == (3, 4, 2, 1)
    assert (totals.calls, totals.errors, totals.refused) == (15, 1, 2)
    assert (totals.tokens_in, totals.tokens_out) == (157, 26)
    # The attempt of unknown cost has a medal, which must not make the others' cheaper.
    assert (totals.usd, totals.usd_per_attempt, totals.usd_per_medal) == (2.0, 1.0, 2.0)
    assert totals.unpriced == ["x/y"] and totals.exhausted == {"usd": 1}
    assert [(use.tokens_in, use.tokens_out, use.usd) for use in totals.models] == [
        (140, 24, 1.9),
        (10, 1, 0.1),
        (7, 1, None),
    ]
    assert [(use.model, use.calls, use.attempts) for use in totals.models] == [
        ("a/b", 12, 2),
        ("a/c", 2, 1),
        ("x/y", 1, 1),
    ]


def test_without_a_medal_or_a_price_nothing_is_made_up() -> None:
    totals = model_totals([ATTEMPTS[1]])
    assert totals is not None and totals.usd_per_medal is None
    unknown = model_totals([ATTEMPTS[2]])
    assert unknown is not None and unknown.usd is unknown.usd_per_attempt is unknown.usd_per_medal is None
    assert model_totals([ATTEMPTS[3]]) is None


def test_the_cost_of_medals_on_synthetic_data_is_marked(registry: Registry) -> None:
    grade = make_grade("apple", 0.95, data_source="synthetic")
    for attempts, marked in ((ATTEMPTS[:1], False), ([ATTEMPTS[0].model_copy(update={"grade": grade})], True)):
        figure = dict(wording.consumption(summarise(make_run(attempts), registry)))["Cost per medal"]
        assert figure.startswith("$1.50 (1 medal over 1 of 1 attempts") and marked == ("means nothing" in figure)


def test_gpu_hours_and_energy() -> None:
    share = Share(gpus=["GPU-1", "GPU-2"])
    first = _attempt(0, 0.9, share=share, telemetry=Telemetry(gpus=["H200"], samples=30, utilisation_mean=10.0, memory_peak_gb=3.0, energy_kwh=0.5))  # fmt: skip
    second = _attempt(1, 0.9, share=share, telemetry=Telemetry(gpus=["H200"], samples=10, utilisation_mean=50.0, memory_peak_gb=9.0))  # fmt: skip
    third = _attempt(2, 0.9, share=Share())
    assert gpu_hours(first, 1) == pytest.approx(2 * 5 / 60)
    assert gpu_hours(first, 4) == pytest.approx(2 * 5 / 60 / 4)
    assert gpu_hours(third, 1) is None
    totals = machine_totals([first, second, third], 1)
    assert totals is not None
    assert (totals.attempts, totals.of, totals.measured) == (2, 3, 2)
    assert totals.gpu_hours == pytest.approx(20 / 60)
    assert (totals.energy_kwh, totals.utilisation_mean, totals.memory_peak_gb) == (0.5, 20.0, 9.0)
    assert machine_totals([third], 1) is None


@pytest.mark.parametrize(
    ("end", "fate"),
    [
        (End.OUT_OF_BUDGET, Fate.OUT_OF_BUDGET),
        (End.OUT_OF_STEPS, Fate.OUT_OF_STEPS),
        (End.MODEL_FAILURE, Fate.MODEL_FAILURE),
    ],
)
def test_ends_without_a_submission_are_told_apart(end: End, fate: Fate) -> None:
    assert fate_of(make_attempt("apple", 0, make_grade("apple", None), end=end)) is fate
    assert fate_of(make_attempt("apple", 0, make_grade("apple", 0.9), end=end)) is Fate.SCORED


def test_every_end_has_a_fate() -> None:
    for end in End:
        fate_of(make_attempt("apple", 0, make_grade("apple", None), end=end))
    ends = [make_attempt("apple", seed, None, end=end) for seed, end in enumerate([*End, End.CRASHED, None])]
    counts = count_ends(ends)
    assert sum(one.count for one in counts) == len(ends) and counts[-1].end is None
    assert next(one.count for one in counts if one.end is End.CRASHED) == 2


@pytest.mark.parametrize(
    ("network", "mark", "sentence"),
    [
        ("none", None, None),
        ("full", "full network", "whole internet"),
        ("allow=a.test,b.test", "network: 2 hosts", "a.test, b.test"),
    ],
)
def test_the_network_is_marked_wherever_figures_stand(
    registry: Registry, network: str, mark: str | None, sentence: str | None
) -> None:
    summaries = [summarise(make_run(ATTEMPTS, name=name, network=network), registry) for name in ("one", "two")]
    assert wording.network_mark(summaries[0]) == mark
    told = dict(wording.warnings(summaries[0]))
    assert (wording.NETWORK in told) is (sentence is not None)
    for page in (render_page(summaries[:1]), render_page(summaries)):
        assert mark is None or mark in page
        assert sentence is None or sentence in page
    process = summarise(make_run(ATTEMPTS, sandbox="process"), registry)
    assert wording.network_mark(process) == "network not controlled"


def test_the_page_tells_costs_with_over_how_many(registry: Registry) -> None:
    summary = summarise(
        make_run(ATTEMPTS, model="a/b", budget_usd=5.0, step_limit=100, role_models={"r": "a/c"}), registry
    )
    page = render_page([summary])
    assert "$2.00, $1.00 each (over 2 of 4 attempts; no price is known of x/y)" in page
    assert "$2.00 (1 medal over 2 of 4 attempts)" in page
    assert "a/b (r: a/c)" in page and "$5.00, 100 steps" in page
    figures = dict(wording.consumption(summary))
    assert figures["Budgets used up"] == "1 by usd (over 3 of 4 attempts)"
    none = summarise(make_run([ATTEMPTS[3]]), registry)
    assert wording.consumption(none) == [] and "Models and machines" not in render_page([none])


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (999, "999"), (999.6, "1k"), (12_345, "12.3k"), (4_560_000, "4.56M"), (2e9, "2G"), (None, "–")],
)
def test_counts(value: float | None, shown: str) -> None:
    assert text.count(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0.0, "$0.00"), (0.01234, "$0.0123"), (1234.5, "$1,234.50")])
def test_dollars(value: float | None, shown: str) -> None:
    assert text.usd(value) == shown
