"""Metrics for numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError


def rmse(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Root mean squared error: sqrt(mean((y_pred - y_true)^2)); equal shapes; range [0, inf)."""
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.asarray(y_pred, dtype=np.float64)
    if truth.size == 0:
        raise UndefinedMetricError("RMSE of no rows")
    error = guess.ravel() - truth.ravel()
    return float(np.sqrt(np.dot(error, error) / error.size))


def rmsle(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Root mean squared logarithmic error: sqrt(mean((ln(1 + y_pred) - ln(1 + y_true))^2)); values > -1."""
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.asarray(y_pred, dtype=np.float64)
    if (guess <= -1.0).any() or (truth <= -1.0).any():
        raise UndefinedMetricError("the logarithmic error is undefined for values of -1 and below")
    return rmse(np.log1p(truth), np.log1p(guess))
