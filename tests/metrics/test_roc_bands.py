"""The banded area under the ROC curve, against its definition by scikit-learn's curve, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import auc, roc_auc_score, roc_curve

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.roc_bands import banded_roc_auc


@st.composite
def scored_labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 40))
    labels = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    assume(0 < labels.sum() < n)
    values = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(-1e6, 1e6))
    return labels, np.array(draw(st.lists(values, min_size=n, max_size=n)))


def steganalysis_score(labels: np.ndarray, scores: np.ndarray) -> float:
    """Step by step: a point at 0.4 if need be, then the trapezoids of each band up to its right edge."""
    fpr, tpr, _ = roc_curve(labels, scores, pos_label=1)
    if 0.4 not in tpr:
        below, above = np.flatnonzero(tpr < 0.4)[-1], np.flatnonzero(tpr > 0.4)[0]
        share = (0.4 - tpr[below]) / (tpr[above] - tpr[below])
        fpr = np.insert(fpr, above, fpr[below] + share * (fpr[above] - fpr[below]))
        tpr = np.insert(tpr, above, 0.4)
    total = 0.0
    for low, high, weight in ((0.0, 0.4, 2), (0.4, 1.0, 1)):
        inside = (tpr >= low) & (tpr <= high)
        x, y = [*fpr[inside], 1.0], [*(tpr[inside] - low), high - low]
        total += weight * auc(x, y)
    return total / (2 * 0.4 + 1 * 0.6)


@given(scored_labels())
def test_equals_the_procedure(case: tuple[np.ndarray, np.ndarray]) -> None:
    score = banded_roc_auc(*case, edges=[0.4], weights=[2, 1])
    assert score == pytest.approx(steganalysis_score(*case), abs=1e-12)


@given(scored_labels(), st.lists(st.floats(0.01, 0.99), max_size=3, unique=True))
def test_equal_weights_are_the_plain_area(case: tuple[np.ndarray, np.ndarray], edges: list[float]) -> None:
    score = banded_roc_auc(*case, edges=sorted(edges), weights=[3.0] * (len(edges) + 1))
    assert score == pytest.approx(roc_auc_score(*case), abs=1e-12)


def test_by_hand() -> None:
    # One tie of all: the diagonal. Below 0.4 the surface has 0.4 - 0.4**2 / 2, above it 0.6**2 / 2.
    assert banded_roc_auc([0, 1], [1, 1], edges=[0.4], weights=[2, 1]) == pytest.approx((2 * 0.32 + 0.18) / 1.4)
    assert banded_roc_auc([0, 0, 1], [0, 1, 2], edges=[0.4], weights=[2, 1]) == pytest.approx(1.0)
    assert banded_roc_auc([1, 1, 0], [0, 1, 2], edges=[0.4], weights=[2, 1]) == 0.0


def test_one_class_is_undefined() -> None:
    with pytest.raises(UndefinedMetricError):
        banded_roc_auc([1, 1], [0.1, 0.2], edges=[0.4], weights=[2, 1])
