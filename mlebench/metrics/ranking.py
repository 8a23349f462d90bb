"""Metrics for ordered lists. A list is one text of items; rows are scored together with arrays, not one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.items import distinct, item_codes, split_items


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
    n = np.size(y_true)
    if not n:
        raise UndefinedMetricError("average precision of no rows")
    true_rows, true_items = split_items(y_true, " ")
    rows, items = split_items(y_pred, " ")
    first = np.searchsorted(rows, np.arange(n))  # every list has an item, if only the empty one
    kept = np.arange(len(rows)) - first[rows] < k
    rows, items = rows[kept], items[kept]
    first = np.searchsorted(rows, np.arange(n))
    true_codes, codes, size = item_codes(true_items, items)
    true_keys = distinct(true_rows * size + true_codes)
    keys = rows * size + codes
    hits = np.isin(keys, true_keys) & ~pd.Series(keys).duplicated().to_numpy()
    position = np.arange(len(keys)) - first[rows]
    before = np.cumsum(hits) - hits
    gains = np.where(hits, (before - before[first[rows]] + 1) / (position + 1.0), 0.0)
    sums = np.bincount(rows, gains, minlength=n)
    relevant = np.bincount(true_keys // size, minlength=n)
    return float(np.mean(sums / np.minimum(relevant, k)))


def pooled_kendall_tau(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Kendall's tau of orders, pooled over rows: 1 - 4 * sum(S) / sum(n (n - 1)).

    S is the number of pairs of a row's n items that stand the wrong way round, which is also the number of swaps of
    neighbours that sorting takes. Texts of items separated by white space; shapes (n,); range [-1, 1].
    Raises NotAPermutationError where a prediction does not hold exactly the true items.
    """
    true_rows, true_items = split_items(y_true)
    rows, items = split_items(y_pred)
    n = np.size(y_true)
    sizes = np.bincount(true_rows, minlength=n)
    pairs = int((sizes * (sizes - 1)).sum())
    if not pairs:
        raise UndefinedMetricError("no row has two items whose order could be right or wrong")
    different = np.flatnonzero(sizes != np.bincount(rows, minlength=n))
    if different.size:
        raise NotAPermutationError(int(different[0]))
    true_codes, codes, size = item_codes(true_items, items)
    keys, found = rows * size + true_codes, rows * size + codes
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], found), len(keys) - 1)
    wrong = keys[order][place] != found
    repeated = pd.Series(found).duplicated().to_numpy()
    if (wrong | repeated).any():
        raise NotAPermutationError(int(rows[np.argmax(wrong | repeated)]))
    starts = np.cumsum(sizes) - sizes
    return 1.0 - 4.0 * count_inversions(order[place] - starts[rows], sizes) / pairs


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


def label_weighted_lrap(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Label-weighted label-ranking average precision (lwlrap): the mean precision over all true labels of all rows.

    For a true label j of row i: (number of true labels k with s_ik >= s_ij) / (number of labels k with s_ik >= s_ij);
    rows without a true label are left out. Shapes (n, k), y_true 0/1, y_pred any scores; range (0, 1].
    """
    truth = np.asarray(y_true) > 0
    scores = np.asarray(y_pred, dtype=np.float64)
    if not truth.any():
        raise UndefinedMetricError("label ranking without a true label")
    total = 0.0
    # At most a few million comparisons at a time.
    for start in range(0, len(truth), block := max(1, 2**21 // truth.shape[1] ** 2)):
        true, own = truth[start : start + block], scores[start : start + block]
        row, label = np.nonzero(true)
        above = own[row] >= own[row, label][:, None]
        total += float(((above & true[row]).sum(axis=1) / above.sum(axis=1)).sum())
    return total / int(truth.sum())
