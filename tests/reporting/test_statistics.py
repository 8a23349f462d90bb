"""The formulas, against hand-computed examples."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import make_attempt, make_grade

from mlebench.grading.report import Outcome
from mlebench.reporting.statistics import (
    Measure,
    Missing,
    earns,
    mean_and_sem,
    missing_by_seed,
    of_competition,
    pass_at_k,
    pass_at_k_curve,
    share,
    share_by_seed,
)
from mlebench.running.records import Attempt, End, State


def attempts_of(scores: dict[str, list[float | None]]) -> list[Attempt]:
    """One attempt for each seed 0, 1, ... of each competition."""
    return [make_attempt(c, seed, make_grade(c, score)) for c, row in scores.items() for seed, score in enumerate(row)]


def test_share_is_the_mean_over_seeds_of_each_seeds_share_of_competitions() -> None:
    attempts = attempts_of({"a": [0.9, 0.75, 0.1], "b": [0.8, 0.1, None], "c": [0.6, 0.5, 0.7], "d": [0, 0, 0]})
    args = (attempts, ["a", "b", "c", "d"], [0, 1, 2])
    assert share_by_seed(*args, Measure.ANY_MEDAL) == {0: 0.5, 1: 0.25, 2: 0.25}
    assert share_by_seed(*args, Measure.GOLD) == {0: 0.25, 1: 0.0, 2: 0.0}
    assert share_by_seed(*args, Measure.SILVER) == {0: 0.25, 1: 0.0, 2: 0.0}
    assert share_by_seed(*args, Measure.BRONZE) == {0: 0.0, 1: 0.25, 2: 0.25}
    assert share_by_seed(*args, Measure.ABOVE_MEDIAN) == {0: 0.75, 1: 0.25, 2: 0.25}  # equal to it is not above
    assert share_by_seed(*args, Measure.VALID) == {0: 1.0, 1: 1.0, 2: 0.75}
    estimate = share(*args, Measure.ANY_MEDAL)
    assert estimate.mean == pytest.approx(1 / 3)
    # sd of (0.5, 0.25, 0.25) with ddof = 1 is 0.25 / sqrt(3); divided by sqrt(3) again.
    assert estimate.sem == pytest.approx(0.25 / 3)
    assert estimate.seeds == 3


def test_standard_error_of_one_seed_is_undefined_not_zero() -> None:
    assert mean_and_sem([0.25]).sem is None
    assert mean_and_sem([0.25, 0.25]).sem == 0.0
    assert mean_and_sem([]).mean is None


def _with_gaps() -> list[Attempt]:
    return [
        make_attempt("a", 0, make_grade("a", 0.9)),
        make_attempt("b", 0, None, end=None, state=State.RUNNING),
        make_attempt("a", 1, make_grade("a", 0.9)),
        make_attempt("b", 1, make_grade("b", None)),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Missing.AS_FAILURE, {0: 0.5, 1: 0.5}),
        (Missing.AVAILABLE, {0: 1.0, 1: 0.5}),
        (Missing.COMPLETE, {1: 0.5}),
    ],
)
def test_rules_for_missing_attempts(rule: Missing, expected: dict[int, float]) -> None:
    assert share_by_seed(_with_gaps(), ["a", "b"], [0, 1], Measure.GOLD, rule) == expected


def test_missing_are_named_by_seed() -> None:
    assert missing_by_seed(_with_gaps(), ["a", "b", "never"], [0, 1]) == {0: ["b", "never"], 1: ["never"]}


def test_a_fault_of_ours_is_no_result_even_with_a_grade() -> None:
    scored = make_grade("a", 0.9)
    assert earns(make_attempt("a", 0, scored), Measure.GOLD)
    assert not earns(make_attempt("a", 0, scored, end=End.INFRASTRUCTURE), Measure.GOLD)
    broken = make_grade("a", None, outcome=Outcome.GRADER_ERROR)
    assert not earns(make_attempt("a", 0, broken), Measure.SUBMITTED)
    assert of_competition([make_attempt("a", 0, broken)]).results == 0


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_draws_with_a_success(case: tuple[int, int, int]) -> None:
    n, c, k = case
    draws = list(itertools.combinations([1] * c + [0] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 0), (3, 1, 4), (3, 4, 1), (3, -1, 1)])
def test_pass_at_k_refuses_what_cannot_be(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass@k"):
        pass_at_k(n, c, k)


def test_pass_at_k_curve_stops_at_half_of_n_and_starts_at_the_mean() -> None:
    attempts = attempts_of({"a": [0.9, 0.9, 0.1, 0.1], "b": [0.1, 0.1, 0.1, 0.1]})
    curve = pass_at_k_curve(attempts, ["a", "b"], [0, 1, 2, 3])
    assert list(curve) == [1, 2]
    assert curve[1] == pytest.approx(0.25)
    assert curve[2] == pytest.approx((1 - 1 / 6) / 2)
    assert pass_at_k_curve(attempts, ["a", "b"], [0]) == {}


def test_one_competition() -> None:
    [*attempts] = attempts_of({"a": [0.9, 0.75, None, 0.5]})
    attempts.append(make_attempt("a", 4, None, end=None, state=State.QUEUED))
    stats = of_competition(attempts)
    assert (stats.attempts, stats.results, stats.scored) == (5, 4, 3)
    assert stats.valid_rate == 0.75
    assert stats.best_score == 0.9
    assert stats.mean_score == pytest.approx((0.9 + 0.75 + 0.5) / 3)
    assert (stats.gold, stats.silver, stats.bronze, stats.medals, stats.above_median) == (1, 0, 1, 2, 2)
    assert stats.best_rank == 10
    # Ranks of 100: 10, 30 (halfway between 20 and 40), 50.
    assert stats.mean_percentile == pytest.approx((91 + 71 + 51) / 3)


def test_best_follows_the_direction() -> None:
    attempts = [make_attempt("a", s, make_grade("a", v, higher_is_better=False)) for s, v in enumerate((0.2, 0.4))]
    assert of_competition(attempts).best_score == 0.2


def test_nothing_yet() -> None:
    stats = of_competition([make_attempt("a", 0, None, end=None, state=State.QUEUED)])
    assert stats.best_score is stats.valid_rate is stats.mean_percentile is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_sem_matches_its_formula(values: list[float]) -> None:
    k, mean = len(values), sum(values) / len(values)
    expected = math.sqrt(sum((x - mean) ** 2 for x in values) / (k - 1)) / math.sqrt(k)
    assert mean_and_sem(values).sem == pytest.approx(expected, abs=1e-9)
