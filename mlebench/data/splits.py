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
