"""Metrics for labelled points that should lie in labelled boxes."""

from __future__ import annotations

import numpy as np

from mlebench.metrics.pairs import pairs_of_equals


def point_box_f1(
    true_key: np.ndarray, low: np.ndarray, high: np.ndarray, guess_key: np.ndarray, point: np.ndarray
) -> float:
    """F1 of points that find boxes: 2 P R / (P + R), 0 where no box is found.

    Keys (n,), (m,) int stand for picture and label together; low, high (n, 2) are the corners of the true boxes and
    point (m, 2) the predictions. True boxes are gone through in order; each is found by the first point of its key that
    lies strictly inside and has found none before. P = found / m, R = found / n; range [0, 1].
    """
    found = np.zeros(len(true_key), dtype=bool)
    used = np.zeros(len(guess_key), dtype=bool)
    for boxes, points in pairs_of_equals(true_key, guess_key):
        inside = ((point[points] > low[boxes]) & (point[points] < high[boxes])).all(axis=1)
        for box, one in zip(boxes[inside].tolist(), points[inside].tolist(), strict=True):
            if not (found[box] or used[one]):
                found[box] = used[one] = True
    hits = int(found.sum())
    if not hits:
        return 0.0
    precision, recall = hits / len(guess_key), hits / len(true_key)
    return 2 * precision * recall / (precision + recall)
