"""Metrics for ordered lists. A list is one text of items; rows are scored together with arrays, not one by one."""

from __future__ import annotations

from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlebench.metrics import UndefinedMetricError


class NotAPermutationError(ValueError):
    """A predicted order does not hold exactly the true items; `row` is the first such row."""

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} is no permutation of the true items")
        self.row = row


def mean_average_precision(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, k: int) -> float:
    """Mean average precision of the first `k` predicted items (MAP@k).

    A row's truth is the set of the m items in its text, its prediction the list in its text, both separated by one
    blank. AP = (1 / min(m, k)) * sum over positions i <= k of rel(i) * P(i), where rel(i) is 1 for a true item that
    did not occur earlier in the list, and P(i) = (hits up to i) / i; MAP is the mean over rows. Shapes (n,) of
    texts; range [0, 1].
    """
    truth = [cell.split(" ") for cell in np.asarray(y_true, dtype=object).tolist()]
    guess = [cell.split(" ", k)[:k] for cell in np.asarray(y_pred, dtype=object).tolist()]
    if not truth:
        raise UndefinedMetricError("average precision of no rows")
    true_rows, guess_rows, codes, size = _row_item_codes(truth, guess)
    true_keys = pd.unique(true_rows * size + codes[: len(true_rows)])
    keys = guess_rows * size + codes[len(true_rows) :]
    hits = np.isin(keys, true_keys) & ~pd.Series(keys).duplicated().to_numpy()
    first = np.searchsorted(guess_rows, np.arange(len(guess)))  # every list has an item, if only the empty one
    position = np.arange(len(keys)) - first[guess_rows]
    before = np.cumsum(hits) - hits
    gains = np.where(hits, (before - before[first[guess_rows]] + 1) / (position + 1.0), 0.0)
    sums = np.bincount(guess_rows, gains, minlength=len(truth))
    relevant = np.bincount(true_keys // size, minlength=len(truth))
    return float(np.mean(sums / np.minimum(relevant, k)))


def pooled_kendall_tau(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Kendall's tau of orders, pooled over rows: 1 - 4 * sum(S) / sum(n (n - 1)).

    S is the number of pairs of a row's n items that stand the wrong way round, which is also the number of swaps of
    neighbours that sorting takes. Texts of items separated by white space; shapes (n,); range [-1, 1].
    Raises NotAPermutationError where a prediction does not hold exactly the true items.
    """
    truth = [cell.split() for cell in np.asarray(y_true, dtype=object).tolist()]
    guess = [cell.split() for cell in np.asarray(y_pred, dtype=object).tolist()]
    sizes = np.array([len(items) for items in truth], dtype=np.int64)
    pairs = int((sizes * (sizes - 1)).sum())
    if not pairs:
        raise UndefinedMetricError("no row has two items whose order could be right or wrong")
    different = np.flatnonzero(sizes != np.array([len(items) for items in guess], dtype=np.int64))
    if different.size:
        raise NotAPermutationError(int(different[0]))
    true_rows, _, codes, size = _row_item_codes(truth, guess)
    keys = true_rows * size + codes[: len(true_rows)]
    order = np.argsort(keys, kind="stable")
    found = true_rows * size + codes[len(true_rows) :]
    place = np.minimum(np.searchsorted(keys[order], found), len(keys) - 1)
    wrong = keys[order][place] != found
    repeated = pd.Series(found).duplicated().to_numpy()
    if (wrong | repeated).any():
        raise NotAPermutationError(int(true_rows[np.argmax(wrong | repeated)]))
    starts = np.cumsum(sizes) - sizes
    return 1.0 - 4.0 * count_inversions(order[place] - starts[true_rows], sizes) / pairs


def count_inversions(values: np.ndarray, sizes: np.ndarray) -> int:
    """Number of pairs i < j within one group with values[i] > values[j], over all groups.

    `values` holds the groups one after another, `sizes` their lengths; values are whole numbers >= 0. O(n log max):
    bit by bit from the highest, pairs that agree in the higher bits and differ in this one are counted, and each
    group is parted, in order, into those without and those with the bit.
    """
    values = np.asarray(values, dtype=np.int64)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    ends = starts + np.repeat(sizes, sizes)
    total = 0
    for bit in range(int(values.max(initial=0)).bit_length() - 1, -1, -1):
        has = (values >> bit) & 1
        ones = np.concatenate(([0], np.cumsum(has)))
        ones_before = ones[:-1] - ones[starts]
        total += int(ones_before[has == 0].sum())
        split = ends - (ones[ends] - ones[starts])  # where the group's part with the bit begins
        target = np.where(has == 1, split + ones_before, np.arange(len(values)) - ones_before)
        parted = np.empty_like(values)
        parted[target] = values
        lows, highs = np.empty_like(starts), np.empty_like(ends)
        lows[target] = np.where(has == 1, split, starts)
        highs[target] = np.where(has == 1, ends, split)
        values, starts, ends = parted, lows, highs
    return total


def _row_item_codes(truth: list[list[str]], guess: list[list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Row numbers of all true and all predicted items, and one number per distinct item (truth first, then guess)."""
    rows = [np.repeat(np.arange(len(lists)), [len(items) for items in lists]) for lists in (truth, guess)]
    items = np.array(list(chain(chain.from_iterable(truth), chain.from_iterable(guess))), dtype=object)
    codes, distinct = pd.factorize(items)
    return rows[0], rows[1], codes.astype(np.int64), max(1, len(distinct))
