"""Splits are scikit-learn's `train_test_split`, item for item and in its order."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from mlebench.data.splits import mark_test_groups, split_frame, split_groups, split_items, train_test_positions

SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(2, 500), st.floats(0.001, 0.999), SEEDS)
def test_a_share_of_the_items(n: int, share: float, seed: int) -> None:
    assume(math.ceil(share * n) < n)
    train, test = train_test_split(np.arange(n), test_size=share, random_state=seed)
    ours = train_test_positions(n, share, seed)
    assert np.array_equal(ours[0], train)
    assert np.array_equal(ours[1], test)


@given(st.data(), st.integers(2, 500), SEEDS)
def test_a_number_of_items(data: st.DataObject, n: int, seed: int) -> None:
    count = data.draw(st.integers(1, n - 1))
    train, test = train_test_split(np.arange(n), test_size=count, random_state=seed)
    ours = train_test_positions(n, count, seed)
    assert np.array_equal(ours[0], train)
    assert np.array_equal(ours[1], test)


@pytest.mark.parametrize("share", [0.1, 0.19, 0.2, 0.25, 0.3, 1 / 3, 0.5, 1631 / 5671, 0.07, 0.9])
@pytest.mark.parametrize("n", [10, 29, 100, 144, 1000, 2400, 4040, 17_500, 100_000])
def test_the_shares_that_recipes_use(n: int, share: float) -> None:
    # A share times a round number is where rounding could differ by one.
    train, test = train_test_split(np.arange(n), test_size=share, random_state=0)
    ours = train_test_positions(n, share)
    assert np.array_equal(ours[0], train)
    assert np.array_equal(ours[1], test)


def test_tables_keep_their_old_index() -> None:
    frame = pd.DataFrame({"a": range(50), "b": list("xy" * 25)}, index=range(100, 150))
    train, test = train_test_split(frame, test_size=0.3, random_state=7)
    ours = split_frame(frame, 0.3, 7)
    pd.testing.assert_frame_equal(ours[0], train)
    pd.testing.assert_frame_equal(ours[1], test)


@given(st.lists(st.text(max_size=3), min_size=2, max_size=40), SEEDS)
def test_members_of_a_sequence(items: list[str], seed: int) -> None:
    assert split_items(items, 0.25, seed) == tuple(train_test_split(items, test_size=0.25, random_state=seed))


@pytest.mark.parametrize(("n", "size"), [(0, 0.5), (1, 0.5), (10, 0), (10, 10), (10, 11), (10, 1.0), (10, 0.0)])
def test_an_empty_side_is_refused(n: int, size: float) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        train_test_positions(n, size)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=80), SEEDS)
def test_whole_groups_in_drawn_order(keys: list[int], seed: int) -> None:
    assume(len(set(keys)) > 1)
    frame = pd.DataFrame({"key": [f"k{key}" for key in keys], "row": range(len(keys))})
    groups = [group for _, group in frame.groupby("key")]
    parts = train_test_split(groups, test_size=0.3, random_state=seed)
    for ours, wanted in zip(split_groups(frame, "key", 0.3, seed), parts, strict=True):
        pd.testing.assert_frame_equal(ours, pd.concat(wanted))


@given(st.lists(st.integers(0, 12), min_size=2, max_size=80), SEEDS)
def test_groups_in_order_of_appearance(keys: list[int], seed: int) -> None:
    assume(len(set(keys)) > 1)
    column = pd.Series(keys)
    _, test = train_test_split(column.unique(), test_size=0.3, random_state=seed)
    assert np.array_equal(mark_test_groups(column, 0.3, seed), column.isin(test))
