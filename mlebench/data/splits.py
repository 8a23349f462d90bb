"""How a recipe divides its rows, groups or files into train and test. Every split is a pure function of a seed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

import numpy as np
import pandas as pd

Item = TypeVar("Item")


def train_test_positions(n: int, test_size: float | int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Positions of train and test among `n` items, in drawn order.

    With p = RandomState(seed).permutation(n): test = p[:k], train = p[k:], where k = ceil(test_size * n) for a
    share and k = test_size for a whole number. This is scikit-learn's shuffled `train_test_split`, without
    importing it (tests compare the two).
    """
    k = int(test_size) if isinstance(test_size, int) else ceil(test_size * n)
    if not 0 < k < n:
        raise ValueError(f"cannot take {k} test items out of {n}")
    order = np.random.RandomState(seed).permutation(n)
    return order[k:], order[:k]


def split_frame(frame: pd.DataFrame, test_size: float | int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test rows of a table, in drawn order, with their old index."""
    train, test = train_test_positions(len(frame), test_size, seed)
    return frame.iloc[train], frame.iloc[test]


def split_items(items: Sequence[Item], test_size: float | int, seed: int = 0) -> tuple[list[Item], list[Item]]:
    """Train and test members of a sequence (ids, groups, paths, records), in drawn order."""
    train, test = train_test_positions(len(items), test_size, seed)
    return [items[i] for i in train], [items[i] for i in test]


def split_groups(
    frame: pd.DataFrame, column: str, test_size: float | int, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test rows of a table whose groups stay whole.

    The groups (equal values of `column`, sorted by value) are split as by `split_items`; each part holds its groups
    in drawn order, and within a group the rows keep theirs. The old index stays.
    """
    codes, groups = pd.factorize(frame[column], sort=True)
    train, test = train_test_positions(len(groups), test_size, seed)
    place = np.empty(len(groups), dtype=np.int64)
    place[test] = np.arange(len(test))
    place[train] = np.arange(len(test), len(groups))
    places = place[codes]
    order = np.argsort(places, kind="stable")
    count = int((places < len(test)).sum())
    return frame.iloc[order[count:]], frame.iloc[order[:count]]


def mark_test_groups(keys: pd.Series, test_size: float | int, seed: int = 0) -> np.ndarray:
    """Which rows are test when distinct keys, in order of first appearance, are split as by `split_items`; (n,) bool.

    For recipes that keep the order of rows on both sides.
    """
    codes, distinct = pd.factorize(keys)
    _, test = train_test_positions(len(distinct), test_size, seed)
    return np.isin(np.arange(len(distinct)), test)[codes]
