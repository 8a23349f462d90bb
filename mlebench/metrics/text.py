"""Metrics for text answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError


def exact_match(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Share of rows whose text equals the truth to the letter; two missing texts are equal; range [0, 1]."""
    truth, guess = _texts(y_true), _texts(y_pred)
    if truth.size == 0:
        raise UndefinedMetricError("exact match of no rows")
    return float(np.mean(truth == guess))


def word_jaccard(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean word-level Jaccard similarity.

    Per row both texts are lower-cased and split on white space into sets A and B; J = |A & B| / |A | B|, and 1
    where both are empty. Missing texts count as empty. Shapes (n,); range [0, 1].
    """
    truth, guess = _texts(y_true), _texts(y_pred)
    if truth.size == 0:
        raise UndefinedMetricError("Jaccard similarity of no rows")
    total = 0.0
    for a, b in zip(truth.tolist(), guess.tolist(), strict=True):
        if a == b:
            total += 1.0
            continue
        words_a, words_b = set(a.lower().split()), set(b.lower().split())
        both = len(words_a & words_b)
        union = len(words_a) + len(words_b) - both
        total += both / union if union else 1.0
    return total / truth.size


def _texts(values: npt.ArrayLike) -> np.ndarray:
    """Texts as a flat object array; missing ones become the empty text."""
    array = np.asarray(values, dtype=object).ravel()
    return np.where(array == array, array, "")  # NaN is the only value that differs from itself
