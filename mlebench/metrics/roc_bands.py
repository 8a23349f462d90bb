"""The area under the ROC curve with bands of different weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError


def banded_roc_auc(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, edges: Sequence[float], weights: Sequence[float]
) -> float:
    """Area under the ROC curve, cut into bands of the true positive rate that count differently.

    With edges 0 = e_0 < e_1 < ... < e_k = 1 and weights w_1..w_k:
    sum_i w_i A_i / sum_i w_i (e_i - e_(i-1)), where A_i is the area of that part of the surface below the curve whose
    height lies between e_(i-1) and e_i. The curve is piecewise linear, equal scores are one step. Shapes (n,), y_true
    in {0, 1}; range [0, 1]; equal weights give the area under the ROC curve.
    Raises UndefinedMetricError when only one class occurs.
    """
    truth = np.asarray(y_true).ravel().astype(bool)
    scores = np.asarray(y_pred, dtype=np.float64).ravel()
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        raise UndefinedMetricError("the area under the ROC curve needs both classes in the answers")
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])  # of each run of equal scores
    hits = np.cumsum(truth[order])[last]
    tpr, fpr = np.r_[0.0, hits / positives], np.r_[0.0, (last + 1 - hits) / negatives]
    bounds = np.array([0.0, *edges, 1.0])
    # With the curve's points at the edges of the bands, every piece of it lies within one band.
    inner = np.setdiff1d(bounds, tpr)
    where = np.searchsorted(tpr, inner)
    fpr = np.insert(fpr, where, np.interp(inner, tpr, fpr))
    tpr = np.insert(tpr, where, inner)
    heights = np.clip(tpr, bounds[:-1, None], bounds[1:, None]) - bounds[:-1, None]
    areas = np.sum((heights[:, 1:] + heights[:, :-1]) / 2 * np.diff(fpr), axis=1)
    return float(np.dot(weights, areas) / np.dot(weights, np.diff(bounds)))
