"""Quadratic weighted kappa against scikit-learn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import quadratic_weighted_kappa

SCORES = st.sampled_from([1, 2, 3, 4, 6, 70])


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=40))
def test_equal_to_scikit_learn(rows) -> None:
    truth, guess = zip(*rows, strict=True)
    if len({*truth, *guess}) == 1:
        with pytest.raises(UndefinedMetricError):
            quadratic_weighted_kappa(truth, guess)
    else:
        theirs = cohen_kappa_score(guess, truth, weights="quadratic")
        assert math.isclose(quadratic_weighted_kappa(truth, guess), theirs, abs_tol=1e-12)


def test_a_constant_prediction_is_chance_and_places_count_rather_than_values() -> None:
    assert math.isclose(quadratic_weighted_kappa([1, 2, 3], [2, 2, 2]), 0.0, abs_tol=1e-15)
    assert quadratic_weighted_kappa([1, 2, 6], [1, 2, 70]) == quadratic_weighted_kappa([1, 2, 6], [1, 2, 7])
