"""Macro F1, probabilistic F1 and the weighted log loss of several labels: scikit-learn, plain loops, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import macro_f1, probabilistic_f1, weighted_label_log_loss

SHARES = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


class TestMacroF1:
    def test_by_hand(self) -> None:
        # Classes 1, 2, 3: F1 of 2 * 1 / (2 + 1), 2 * 1 / (1 + 2) and, predicted but never true, 0.
        assert macro_f1([1, 1, 2, 2], [1, 3, 2, 3]) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)

    @given(st.lists(st.tuples(st.integers(-3, 5), st.integers(-3, 9)), min_size=1, max_size=60))
    def test_as_scikit_learn(self, pairs: list[tuple[int, int]]) -> None:
        truth, guess = zip(*pairs, strict=True)
        wanted = sklearn.metrics.f1_score(truth, guess, average="macro")
        assert macro_f1(truth, guess) == pytest.approx(wanted, abs=1e-12)

    @given(st.lists(st.tuples(st.integers(0, 3), st.floats(-2, 5)), min_size=1, max_size=30))
    def test_fractions_are_cut(self, pairs: list[tuple[int, float]]) -> None:
        truth, guess = zip(*pairs, strict=True)
        wanted = sklearn.metrics.f1_score(truth, [int(value) for value in guess], average="macro")
        assert macro_f1(truth, guess, truncate=True) == pytest.approx(wanted, abs=1e-12)

    def test_texts(self) -> None:
        assert macro_f1(["a", "b"], ["a", "a"]) == pytest.approx(1 / 3)

    def test_no_rows(self) -> None:
        with pytest.raises(UndefinedMetricError):
            macro_f1([], [])


class TestProbabilisticF1:
    def test_by_hand(self) -> None:
        # pTP = 1.2, pFP = 0.4: precision 0.75, recall 0.6.
        assert probabilistic_f1([1, 0, 1, 0], [0.9, 0.4, 0.3, 0.0]) == pytest.approx(2 * 0.75 * 0.6 / 1.35)

    def test_a_constant_of_one(self) -> None:
        assert probabilistic_f1([1, 0, 0, 0], [1, 1, 1, 1]) == pytest.approx(2 * 0.25 / 1.25)

    @pytest.mark.parametrize("guess", [[0, 0, 0], [0, 0.5, 0], [math.nan, 0, 1], [1, math.nan, 1]])
    def test_zero(self, guess: list[float]) -> None:
        assert probabilistic_f1([1, 0, 1], guess) == 0.0

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
    def test_the_ordinary_f1_of_decisions(self, pairs: list[tuple[bool, bool]]) -> None:
        truth, guess = zip((True, True), *pairs, strict=True)
        assert probabilistic_f1(truth, guess) == pytest.approx(sklearn.metrics.f1_score(truth, guess))

    @given(st.lists(st.tuples(st.booleans(), st.floats(-2, 3)), max_size=30))
    def test_clipped_to_the_range_of_likelihoods(self, pairs: list[tuple[bool, float]]) -> None:
        truth, guess = zip((True, 0.5), *pairs, strict=True)
        score = probabilistic_f1(truth, guess)
        assert score == probabilistic_f1(truth, [min(max(value, 0.0), 1.0) for value in guess])
        assert 0.0 < score <= 1.0

    def test_no_positive_row(self) -> None:
        with pytest.raises(UndefinedMetricError):
            probabilistic_f1([0, 0], [0.1, 0.2])


class TestWeightedLabelLogLoss:
    WEIGHTS = {"positive_weights": [14, 2, 2], "negative_weights": [7, 1, 1]}

    def test_by_hand(self) -> None:
        wanted = -(14 * math.log(0.8) + 2 * math.log(0.5) + 1 * math.log(0.9)) / 17
        assert weighted_label_log_loss([[1, 1, 0]], [[0.8, 0.5, 0.1]], **self.WEIGHTS) == pytest.approx(wanted)

    def test_one_half_everywhere(self) -> None:
        assert weighted_label_log_loss([[1, 0, 0], [0, 0, 0]], np.full((2, 3), 0.5), **self.WEIGHTS) == pytest.approx(
            math.log(2)
        )

    @given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), SHARES, SHARES, SHARES), min_size=1))
    def test_row_by_row(self, rows: list[tuple]) -> None:
        total = 0.0
        for row in rows:
            losses = weights = 0.0
            for j in range(3):
                weight = (self.WEIGHTS["positive_weights"] if row[j] else self.WEIGHTS["negative_weights"])[j]
                p = min(max(row[3 + j], 1e-15), 1 - 1e-15)
                losses -= weight * math.log(p if row[j] else 1 - p)
                weights += weight
            total += losses / weights
        truth, guess = [row[:3] for row in rows], [row[3:] for row in rows]
        assert weighted_label_log_loss(truth, guess, **self.WEIGHTS) == pytest.approx(total / len(rows), abs=1e-12)

    def test_no_rows(self) -> None:
        with pytest.raises(UndefinedMetricError):
            weighted_label_log_loss(np.empty((0, 3)), np.empty((0, 3)), **self.WEIGHTS)
