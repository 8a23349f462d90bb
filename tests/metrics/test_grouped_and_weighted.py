"""Matthews, lwlrap, grouped log error, divergence, Laplace likelihood: against scikit-learn, SciPy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import rel_entr

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import kl_divergence, matthews
from mlebench.metrics.ranking import label_weighted_lrap
from mlebench.metrics.regression import group_log_mae, laplace_log_likelihood, mae

ROWS = st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=40)


@pytest.mark.parametrize("classes", [2, 3])
@given(data=st.data())
def test_matthews(classes: int, data: st.DataObject) -> None:
    labels = st.integers(0, classes - 1)
    truth, guess = np.array(data.draw(st.lists(st.tuples(labels, labels), min_size=1, max_size=40))).T
    wanted = sklearn.metrics.matthews_corrcoef(truth, guess)
    assert matthews(truth, guess) == pytest.approx(wanted, abs=1e-12)


def test_matthews_of_many_rows_does_not_overflow() -> None:
    truth = np.arange(4_000_000) % 2
    assert matthews(truth, truth) == 1.0


@given(ROWS)
def test_mean_absolute_errors(rows: list[tuple[int, float, float]]) -> None:
    groups, truth, guess = map(np.array, zip(*rows, strict=True))
    assert mae(truth, guess) == pytest.approx(sklearn.metrics.mean_absolute_error(truth, guess), rel=1e-12)
    parts = [
        math.log(max(sklearn.metrics.mean_absolute_error(truth[groups == g], guess[groups == g]), 1e-9))
        for g in set(groups.tolist())
    ]
    assert group_log_mae(truth, guess, groups) == pytest.approx(np.mean(parts), abs=1e-9)
    assert group_log_mae(truth, truth, groups) == pytest.approx(math.log(1e-9))


@given(st.integers(1, 12), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_lwlrap(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, scores = rng.integers(0, 2, (n, k)), rng.integers(0, 4, (n, k)) / 3
    if not truth.any():
        with pytest.raises(UndefinedMetricError):
            label_weighted_lrap(truth, scores)
        return
    some = truth.any(axis=1)
    wanted = sklearn.metrics.label_ranking_average_precision_score(
        truth[some], scores[some], sample_weight=truth[some].sum(axis=1)
    )
    assert label_weighted_lrap(truth, scores) == pytest.approx(wanted, rel=1e-12)


@given(arrays(float, (5, 3), elements=st.floats(0.01, 1)), arrays(float, (5, 3), elements=st.floats(0.01, 1)))
def test_divergence(truth: np.ndarray, guess: np.ndarray) -> None:
    truth[0, 0] = 0.0
    truth /= truth.sum(axis=1, keepdims=True)
    guess /= guess.sum(axis=1, keepdims=True)
    assert kl_divergence(truth, guess) == pytest.approx(rel_entr(truth, guess).sum(axis=1).mean(), abs=1e-12)
    assert kl_divergence(truth, truth) == pytest.approx(0.0, abs=1e-12)


def test_divergence_skips_missing_predictions() -> None:
    assert kl_divergence([[0.5, 0.5]], [[np.nan, 1.0]]) == pytest.approx(0.5 * math.log(0.5))


def test_laplace_by_hand() -> None:
    root = math.sqrt(2)
    rows = [-root * 100 / 200 - math.log(root * 200), -root * 1000 / 70 - math.log(root * 70)]
    ours = laplace_log_likelihood([2000, 2000], [2100, 9000], [200, 1], least_sigma=70, most_error=1000)
    assert ours == pytest.approx(np.mean(rows))
    with pytest.raises(UndefinedMetricError):
        laplace_log_likelihood([], [], [], least_sigma=70, most_error=1000)
