"""Metrics for classes and class probabilities, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import accuracy, log_loss, roc_auc

LABELS = st.lists(st.sampled_from(["cat", "dog", "", "NA", "é"]), min_size=1, max_size=30)
TIED_OR_NOT = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(-1e6, 1e6))


@st.composite
def scored_labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Binary labels with both classes, and scores with and without ties."""
    n = draw(st.integers(2, 40))
    labels = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    assume(0 < labels.sum() < n)
    return labels, np.array(draw(st.lists(TIED_OR_NOT, min_size=n, max_size=n)))


@st.composite
def class_probabilities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """True classes and rows of probabilities that add up to 1, zeros and ones among them."""
    n, k = draw(st.integers(1, 15)), draw(st.integers(2, 5))
    weights = draw(arrays.arrays(np.float64, (n, k), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1.0))))
    assume((weights.sum(axis=1) > 0).all())
    return draw(arrays.arrays(np.int64, n, elements=st.integers(0, k - 1))), weights / weights.sum(axis=1)[:, None]


class TestAccuracy:
    def test_by_hand(self) -> None:
        assert accuracy(["a", "b", "c", "c"], ["a", "b", "c", "a"]) == 0.75

    @given(LABELS, st.randoms(use_true_random=False))
    def test_equals_scikit_learn(self, truth: list[str], random) -> None:
        guess = [random.choice(["cat", "dog", "", "NA", "é"]) for _ in truth]
        assert accuracy(truth, guess) == pytest.approx(sklearn.metrics.accuracy_score(truth, guess), abs=1e-15)

    def test_of_nothing_is_undefined(self) -> None:
        with pytest.raises(UndefinedMetricError):
            accuracy([], [])


class TestRocAuc:
    def test_by_hand(self) -> None:
        # Of the 2 x 2 pairs, the positives win two, lose one and tie in one: (2 + 1/2) / 4.
        assert roc_auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.7]) == 0.625

    @given(scored_labels())
    def test_equals_scikit_learn(self, case: tuple[np.ndarray, np.ndarray]) -> None:
        labels, scores = case
        assert roc_auc(labels, scores) == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores), abs=1e-12)

    @given(scored_labels())
    def test_turning_the_scores_round_mirrors_the_area(self, case: tuple[np.ndarray, np.ndarray]) -> None:
        labels, scores = case
        assert roc_auc(labels, -scores) == pytest.approx(1 - roc_auc(labels, scores), abs=1e-12)

    @given(scored_labels())
    def test_only_the_order_of_scores_counts(self, case: tuple[np.ndarray, np.ndarray]) -> None:
        labels, scores = case
        ranks = np.unique(scores, return_inverse=True)[1]
        assert roc_auc(labels, ranks) == roc_auc(labels, scores)

    def test_several_columns_are_pooled(self) -> None:
        rng = np.random.default_rng(0)
        labels, scores = rng.integers(0, 2, (20, 3)), rng.random((20, 3))
        assert roc_auc(labels, scores) == pytest.approx(sklearn.metrics.roc_auc_score(labels.ravel(), scores.ravel()))

    @pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], []])
    def test_one_class_alone_is_undefined(self, labels: list[int]) -> None:
        with pytest.raises(UndefinedMetricError):
            roc_auc(labels, [0.5] * len(labels))


class TestLogLoss:
    def test_by_hand(self) -> None:
        probabilities = [[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]
        assert log_loss([[1, 0, 0], [0, 1, 0]], probabilities) == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2)

    @given(class_probabilities())
    def test_equals_scikit_learn(self, case: tuple[np.ndarray, np.ndarray]) -> None:
        classes, probabilities = case
        k = probabilities.shape[1]
        wanted = sklearn.metrics.log_loss(classes, probabilities, labels=range(k))
        assert log_loss(np.eye(k)[classes], probabilities) == pytest.approx(wanted, rel=1e-9, abs=1e-9)

    @given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
    def test_binary_equals_scikit_learn(self, rows: list[tuple[int, float]]) -> None:
        truth, guess = map(np.array, zip(*rows, strict=True))
        wanted = sklearn.metrics.log_loss(truth, guess, labels=[0, 1])
        assert log_loss(truth, guess) == pytest.approx(wanted, rel=1e-9, abs=1e-9)

    def test_a_sure_mistake_costs_what_the_clip_allows(self) -> None:
        assert log_loss([[1, 0]], [[0.0, 1.0]], eps=1e-15) == pytest.approx(-np.log(1e-15))
        assert log_loss([1], [0.0], eps=1e-15) == pytest.approx(-np.log(1e-15))

    def test_of_nothing_is_undefined(self) -> None:
        with pytest.raises(UndefinedMetricError):
            log_loss(np.empty((0, 3)), np.empty((0, 3)))
