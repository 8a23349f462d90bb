"""Correlations between truth and prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlebench.metrics import UndefinedMetricError


def pearson(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, constant: float | None = None) -> float:
    """Pearson's linear correlation r = cov(y_true, y_pred) / (sd(y_true) sd(y_pred)).

    Shapes (n,), finite; range [-1, 1]. Raises UndefinedMetricError for fewer than two rows and where either side is
    constant; predictions that are all the same score `constant` instead, where that is given.
    """
    truth, guess = np.asarray(y_true, dtype=np.float64).ravel(), np.asarray(y_pred, dtype=np.float64).ravel()
    if truth.size < 2:
        raise UndefinedMetricError("a correlation needs at least two rows")
    if constant is not None and (guess == guess[0]).all():
        return constant
    return float(np.clip(np.dot(_direction(truth, "answers"), _direction(guess, "predictions")), -1.0, 1.0))


def spearman(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Spearman's rank correlation: Pearson's r of the ranks, equal values sharing their mean rank.

    Shapes (n,), finite; range [-1, 1]. Raises UndefinedMetricError as `pearson` does.
    """
    truth, guess = (np.asarray(values, dtype=np.float64).ravel() for values in (y_true, y_pred))
    return pearson(pd.Series(truth).rank().to_numpy(), pd.Series(guess).rank().to_numpy())


def _direction(values: np.ndarray, what: str) -> np.ndarray:
    """Deviations from the mean, scaled to length 1."""
    if (values == values[0]).all():
        raise UndefinedMetricError(f"the {what} are all the same, so that nothing correlates with them")
    deviations = values - values.mean()
    largest = np.abs(deviations).max()
    if largest == 0.0:
        raise UndefinedMetricError(f"the {what} are all but the same, so that nothing correlates with them")
    deviations /= largest  # squares of very large (or tiny) numbers leave the range of floats
    return deviations / np.sqrt(np.dot(deviations, deviations))
