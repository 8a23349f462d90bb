"""Metrics for masks, computed from pixel counts of run lists; no mask is ever drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlebench.formats.rle import RunLists, intersection_areas
from mlebench.metrics import UndefinedMetricError


@dataclass(frozen=True)
class Overlap:
    """Pixel counts of true and predicted masks, mask by mask; int64 (masks,) each."""

    shared: np.ndarray
    truth: np.ndarray
    guess: np.ndarray

    @property
    def union(self) -> np.ndarray:
        """Pixels of either mask."""
        return self.truth + self.guess - self.shared

    def total(self) -> Overlap:
        """All masks taken as one."""
        return Overlap(self.shared.sum(keepdims=True), self.truth.sum(keepdims=True), self.guess.sum(keepdims=True))


def overlap(truth: RunLists, guess: RunLists, sizes: npt.ArrayLike) -> Overlap:
    """Pixel counts of masks i of both lists within images of sizes[i] pixels; what lies beyond the image is cut."""
    truth, guess = truth.clipped(sizes), guess.clipped(sizes)
    return Overlap(intersection_areas(truth, guess), truth.areas(), guess.areas())


def dice(counts: Overlap) -> np.ndarray:
    """Dice coefficient of each mask: 2 |A & B| / (|A| + |B|); NaN where both are empty; range [0, 1]."""
    both = counts.truth + counts.guess
    return np.divide(2.0 * counts.shared, both, out=np.full(both.shape, np.nan), where=both > 0)


def iou(counts: Overlap) -> np.ndarray:
    """Intersection over union of each mask: |A & B| / |A | B|; NaN where both are empty; range [0, 1]."""
    union = counts.union
    return np.divide(counts.shared, union, out=np.full(union.shape, np.nan), where=union > 0)


def mean_dice(counts: Overlap) -> float:
    """Mean Dice coefficient over masks, 1 where both masks are empty; range [0, 1]."""
    if counts.truth.size == 0:
        raise UndefinedMetricError("Dice coefficient of no masks")
    return float(np.mean(np.nan_to_num(dice(counts), nan=1.0)))


def pooled_dice(counts: Overlap) -> float:
    """One Dice coefficient over the pixels of all masks together; UndefinedMetricError when every mask is empty."""
    value = float(dice(counts.total())[0])
    if np.isnan(value):
        raise UndefinedMetricError("the Dice coefficient is undefined when no pixel is marked in truth and prediction")
    return value


def pixel_f_beta(counts: Overlap, *, beta: float) -> np.ndarray:
    """F-beta over the pixels of each mask, 0 where no pixel is shared; range [0, 1].

    F = (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP) with TP the shared pixels, FN = |truth| - TP, FP = |guess| - TP.
    """
    weight = beta * beta
    below = weight * counts.truth + counts.guess
    return np.divide((1.0 + weight) * counts.shared, below, out=np.zeros(below.shape), where=below > 0)


def share_of_thresholds(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """For each value the share of thresholds that it exceeds (strictly); shapes (n,), (t,) -> (n,)."""
    return np.mean(values[:, None] > thresholds[None, :], axis=1)
