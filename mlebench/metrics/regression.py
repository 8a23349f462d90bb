"""Metrics for numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

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


def mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean absolute error: mean(|y_pred - y_true|); equal shapes; range [0, inf)."""
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.asarray(y_pred, dtype=np.float64)
    if truth.size == 0:
        raise UndefinedMetricError("mean absolute error of no rows")
    return float(np.mean(np.abs(guess.ravel() - truth.ravel())))


def group_log_mae(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, groups: npt.ArrayLike, *, floor: float = 1e-9) -> float:
    """Mean over groups of the natural logarithm of the group's mean absolute error, which counts as at least `floor`.

    (1/T) * sum over groups t of ln(max(mean over rows of t of |y_pred - y_true|, floor)). Shapes (n,); groups are
    labels of any type; range [ln(floor), inf).
    """
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.asarray(y_pred, dtype=np.float64)
    if truth.size == 0:
        raise UndefinedMetricError("mean absolute error of no rows")
    codes, _ = pd.factorize(np.asarray(groups))
    means = np.bincount(codes, np.abs(guess - truth)) / np.bincount(codes)
    return float(np.mean(np.log(np.maximum(means, floor))))


def laplace_log_likelihood(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sigma: npt.ArrayLike, *, least_sigma: float, most_error: float
) -> float:
    """Mean log likelihood of a Laplace distribution, with a least spread and errors capped.

    mean(-sqrt(2) * d / s - ln(sqrt(2) * s)) with s = max(sigma, least_sigma), d = min(|y_true - y_pred|, most_error).
    Shapes (n,); higher is better, at most -ln(sqrt(2) * least_sigma).
    """
    truth = np.asarray(y_true, dtype=np.float64)
    guess = np.asarray(y_pred, dtype=np.float64)
    if truth.size == 0:
        raise UndefinedMetricError("likelihood of no rows")
    spread = np.maximum(np.asarray(sigma, dtype=np.float64), least_sigma)
    error = np.minimum(np.abs(truth - guess), most_error)
    return float(np.mean(-np.sqrt(2.0) * error / spread - np.log(np.sqrt(2.0) * spread)))
