"""Average precision of boxes as a sorted list of hits and misses to which missed boxes are added at score 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.classification import average_precision
from mlebench.metrics.pairs import pairs_of_equals


@dataclass(frozen=True)
class PlacedBoxes:
    """Boxes of many rows (pictures, or studies with a dummy box), flat."""

    row: np.ndarray
    """(n,) int: the row, 0.."""
    label: np.ndarray
    """(n,) int: the class, 0.. among those of the truth."""
    corners: np.ndarray
    """(n, 4) float64: xmin, ymin, xmax, ymax."""
    score: np.ndarray
    """(n,) float64: confidence."""

    @property
    def area(self) -> np.ndarray:
        """Width times height, whatever their signs."""
        return (self.corners[:, 2] - self.corners[:, 0]) * (self.corners[:, 3] - self.corners[:, 1])


def lenient_average_precision(truth: PlacedBoxes, guess: PlacedBoxes, *, rows: int, iou: float) -> float:
    """Mean over classes of an average precision in which nothing is ever entirely missed.

    In each row the predictions of a class, by descending score (equal ones in the order given), take the free true box
    of the highest IoU, if that exceeds `iou`. A class's list then has (1, score) for each prediction that found a box,
    (0, score) for each other one, (1, 0) for each box that none found and (0, 0) for each row that has neither a true
    box nor a prediction of the class; its value is the step-wise average precision of that list. Raises
    UndefinedMetricError where a list has no miss at all.
    """
    classes = 1 + int(truth.label.max(initial=-1))
    if not classes:
        raise UndefinedMetricError("average precision needs at least one true box")
    true_key, guess_key = truth.row * classes + truth.label, guess.row * classes + guess.label
    order = np.argsort(-guess.score, kind="stable")
    hit, found = np.zeros(len(guess.row), dtype=bool), np.zeros(len(truth.row), dtype=bool)
    for places, boxes in pairs_of_equals(guess_key[order], true_key):
        one = order[places]
        overlap = _iou(guess, truth, one, boxes)
        close = np.flatnonzero(overlap > iou)
        # Prediction by prediction, its boxes by descending IoU.
        close = close[np.lexsort((-overlap[close], places[close]))]
        for prediction, box in zip(one[close].tolist(), boxes[close].tolist(), strict=True):
            if not (hit[prediction] or found[box]):
                hit[prediction] = found[box] = True
    touched = np.union1d(true_key, guess_key)
    values = []
    for label in range(classes):
        mine, missed = guess.label == label, int(np.sum(~found[truth.label == label]))
        silent = rows - int(np.sum(touched % classes == label))
        outcome = np.r_[hit[mine], np.ones(missed, dtype=bool), np.zeros(silent, dtype=bool)]
        if outcome.all():
            raise UndefinedMetricError("average precision needs a miss or a row without the class")
        values.append(average_precision(outcome, np.r_[guess.score[mine], np.zeros(missed + silent)]))
    return float(np.mean(values))


def _iou(guess: PlacedBoxes, truth: PlacedBoxes, one: np.ndarray, box: np.ndarray) -> np.ndarray:
    """IoU of the given predictions and true boxes, pair by pair; 0 where the union has no area."""
    with np.errstate(over="ignore", invalid="ignore"):
        low = np.maximum(guess.corners[one, :2], truth.corners[box, :2])
        high = np.minimum(guess.corners[one, 2:], truth.corners[box, 2:])
        shared = np.maximum(high - low, 0.0).prod(axis=1)
        union = guess.area[one] + truth.area[box] - shared
        return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
