"""Pearson and Spearman against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.correlation import pearson, spearman

PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.floats(-100, 100, width=16)), min_size=2, max_size=40)


@given(PAIRS)
def test_equal_to_scipy(pairs) -> None:
    a, b = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    for ours, theirs in ((pearson, pearsonr), (spearman, spearmanr)):
        if len(set(a)) == 1 or len(set(b)) == 1:
            with pytest.raises(UndefinedMetricError):
                ours(a, b)
        else:
            assert math.isclose(ours(a, b), theirs(a, b).statistic, abs_tol=1e-12)


def test_hand_computed() -> None:
    assert math.isclose(pearson([1, 2, 3], [1, 2, 4]), 3 / math.sqrt(2 * 42 / 9), rel_tol=1e-12)
    assert math.isclose(spearman([1, 2, 3], [1, 2, 400]), 1.0)


def test_very_large_numbers_do_not_overflow() -> None:
    assert math.isclose(pearson([1, 2, 3, 5], [1e200, 2e200, 3e200, 5e200]), 1.0)


def test_one_row_is_undefined() -> None:
    with pytest.raises(UndefinedMetricError):
        pearson([1], [1])
