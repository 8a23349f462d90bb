"""Metrics for text answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.items import distinct, item_codes, split_items


def exact_match(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Share of rows whose text equals the truth to the letter; two missing texts are equal; range [0, 1]."""
    truth, guess = _texts(y_true), _texts(y_pred)
    if truth.size == 0:
        raise UndefinedMetricError("exact match of no rows")
    return float(np.mean(truth == guess))


def word_jaccard(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, both_empty: float = 1.0) -> float:
    """Mean word-level Jaccard similarity.

    Per row both texts are lower-cased and split on white space into sets A and B; J = |A & B| / |A | B|, and
    `both_empty` where neither has a word. Missing texts count as empty. Shapes (n,); range [0, 1].
    """
    truth, guess = _texts(y_true), _texts(y_pred)
    if truth.size == 0:
        raise UndefinedMetricError("Jaccard similarity of no rows")
    total = 0.0
    for a, b in zip(truth.tolist(), guess.tolist(), strict=True):
        if a == b and a.strip():
            total += 1.0
            continue
        words_a, words_b = set(a.lower().split()), set(b.lower().split())
        both = len(words_a & words_b)
        union = len(words_a) + len(words_b) - both
        total += both / union if union else both_empty
    return total / truth.size


def levenshtein(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, missing: str = "") -> float:
    """Mean Levenshtein distance.

    The distance of two texts is the least number of characters (Unicode code points) to insert, delete or replace
    that turns one into the other. Missing texts count as the text `missing`. Shapes (n,); range [0, inf).
    """
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cpdist

    truth, guess = _texts(y_true, missing), _texts(y_pred, missing)
    if truth.size == 0:
        raise UndefinedMetricError("edit distance of no rows")
    return float(cpdist(truth, guess, scorer=Levenshtein.distance, dtype=np.int64).mean())


def label_set_f1(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, known_only: bool = False) -> float:
    """Micro-averaged F1 of sets of labels.

    A text is the set of its labels, separated by white space. F1 = 2 TP / (2 TP + FP + FN), counted over all pairs
    of row and label. With `known_only`, predicted labels that no true text has are left out, as if not predicted.
    Missing texts are empty sets. Shapes (n,); range [0, 1].
    """
    true_rows, true_labels = split_items(_texts(y_true))
    rows, labels = split_items(_texts(y_pred))
    true_codes, codes, size = item_codes(true_labels, labels)
    known = codes <= true_codes.max(initial=-1) if known_only else np.ones(len(codes), dtype=bool)
    true_pairs = distinct(true_rows * size + true_codes)
    guess_pairs = distinct((rows * size + codes)[known])
    if not len(true_pairs) and not len(guess_pairs):
        raise UndefinedMetricError("neither the answers nor the predictions name a label")
    both = np.isin(guess_pairs, true_pairs, assume_unique=True).sum()
    return float(2 * both / (len(true_pairs) + len(guess_pairs)))


def _texts(values: npt.ArrayLike, missing: str = "") -> np.ndarray:
    """Texts as a flat object array; missing ones become the text `missing`."""
    array = np.asarray(values, dtype=object).ravel()
    return np.where(array == array, array, missing)  # NaN is the only value that differs from itself
