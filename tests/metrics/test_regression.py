"""Metrics for numbers, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.regression import rmse, rmsle

NUMBERS = st.floats(-1e6, 1e6)
COUNTS = st.floats(0.0, 1e6)


def pairs(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[tuple[float, float]]]:
    """Rows of (truth, prediction)."""
    return st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30)


class TestRmse:
    def test_by_hand(self) -> None:
        assert rmse([1.0, 2.0, 3.0], [1.0, 4.0, 2.0]) == pytest.approx(np.sqrt(5 / 3))

    @given(pairs(NUMBERS))
    def test_equals_scikit_learn(self, rows: list[tuple[float, float]]) -> None:
        truth, guess = map(np.array, zip(*rows, strict=True))
        wanted = sklearn.metrics.root_mean_squared_error(truth, guess)
        assert rmse(truth, guess) == pytest.approx(wanted, rel=1e-12, abs=1e-300)

    @given(pairs(NUMBERS))
    def test_is_symmetric_and_never_negative(self, rows: list[tuple[float, float]]) -> None:
        truth, guess = map(np.array, zip(*rows, strict=True))
        assert rmse(truth, guess) == rmse(guess, truth) >= 0
        assert rmse(truth, truth) == 0

    def test_of_nothing_is_undefined(self) -> None:
        with pytest.raises(UndefinedMetricError):
            rmse([], [])


class TestRmsle:
    def test_by_hand(self) -> None:
        assert rmsle([0.0, np.e - 1], [np.e - 1, np.e - 1]) == pytest.approx(np.sqrt(1 / 2))

    @given(pairs(COUNTS))
    def test_equals_scikit_learn(self, rows: list[tuple[float, float]]) -> None:
        truth, guess = map(np.array, zip(*rows, strict=True))
        wanted = sklearn.metrics.root_mean_squared_log_error(truth, guess)
        assert rmsle(truth, guess) == pytest.approx(wanted, rel=1e-9, abs=1e-12)

    def test_values_just_above_minus_one_have_a_score(self) -> None:
        assert rmsle([0.0], [-0.5]) == pytest.approx(np.log(2))

    @pytest.mark.parametrize(("truth", "guess"), [([0.0], [-1.0]), ([-2.0], [0.0]), ([], [])])
    def test_outside_its_domain_is_undefined(self, truth: list[float], guess: list[float]) -> None:
        with pytest.raises(UndefinedMetricError):
            rmsle(truth, guess)
