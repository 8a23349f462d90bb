"""Ranked lists and orders against straightforward loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.ranking import (
    NotAPermutationError,
    count_inversions,
    mean_average_precision,
    pooled_kendall_tau,
)

LISTS = st.lists(st.sampled_from(["a", "b", "c", "d", "", "ee"]), max_size=8).map(" ".join)


def naive_average_precision(truth: str, guess: str, k: int) -> float:
    actual, seen, hits, total = set(truth.split(" ")), [], 0, 0.0
    for place, item in enumerate(guess.split(" ")[:k], start=1):
        if item in actual and item not in seen:
            hits += 1
            total += hits / place
        seen.append(item)
    return total / min(len(actual), k)


@given(st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=10), st.integers(1, 6))
def test_average_precision_equals_a_loop(rows, k) -> None:
    truth, guess = zip(*rows, strict=True)
    naive = np.mean([naive_average_precision(a, b, k) for a, b in rows])
    assert math.isclose(mean_average_precision(truth, guess, k=k), naive, abs_tol=1e-12)


def test_average_precision_by_hand() -> None:
    assert math.isclose(mean_average_precision(["a b"], ["a x b"], k=12), (1 / 1 + 2 / 3) / 2)
    with pytest.raises(UndefinedMetricError):
        mean_average_precision([], [], k=12)


@given(st.lists(st.lists(st.integers(0, 40), max_size=20), max_size=8))
def test_inversions_equal_a_double_loop(groups) -> None:
    naive = sum(g[i] > g[j] for g in groups for j in range(len(g)) for i in range(j))
    values = np.array([value for group in groups for value in group], dtype=np.int64)
    assert count_inversions(values, np.array([len(g) for g in groups], dtype=np.int64)) == naive


@given(st.lists(st.permutations(list("abcdefg")), min_size=1, max_size=6))
def test_tau_is_1_for_equal_and_minus_1_for_reversed_orders(orders) -> None:
    texts = [" ".join(order) for order in orders]
    assert pooled_kendall_tau(texts, texts) == 1.0
    assert pooled_kendall_tau(texts, [text[::-1] for text in texts]) == -1.0


def test_tau_pools_rows_by_their_pairs() -> None:
    # One wrong pair of 1 + 6 pairs.
    assert math.isclose(pooled_kendall_tau(["x y", "a b c d"], ["y x", "a b c d"]), 1 - 4 * 1 / (2 + 12))


@pytest.mark.parametrize("guess", ["a b", "a b c d", "a b d", "a a b", "x y z"])
def test_tau_refuses_what_is_no_permutation(guess) -> None:
    with pytest.raises(NotAPermutationError) as caught:
        pooled_kendall_tau(["x y z", "a b c"], ["z x y", guess])
    assert caught.value.row == 1


def test_tau_of_single_items_is_undefined() -> None:
    with pytest.raises(UndefinedMetricError):
        pooled_kendall_tau(["a"], ["a"])
