"""Boxes that stand upright in space: their IoU, and average precision over IoU thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.pairs import pairs_in_ranges


@dataclass(frozen=True)
class UprightBoxes:
    """Boxes turned about the vertical axis only; float64 (n,) each."""

    centre: np.ndarray
    """x, y, z of the centre; (n, 3)."""
    width: np.ndarray
    """Size across the heading."""
    length: np.ndarray
    """Size along the heading."""
    height: np.ndarray
    yaw: np.ndarray
    """Angle of the heading from the x axis towards the y axis, in radians."""

    def __len__(self) -> int:
        return len(self.yaw)

    def take(self, which: np.ndarray) -> UprightBoxes:
        """Some of the boxes, by mask or positions."""
        return UprightBoxes(
            self.centre[which], self.width[which], self.length[which], self.height[which], self.yaw[which]
        )

    @property
    def volume(self) -> np.ndarray:
        """Volume of each box."""
        return self.width * self.length * self.height


def iou_3d(a: UprightBoxes, b: UprightBoxes) -> np.ndarray:
    """IoU of box i of `a` and box i of `b`; (n,), range [0, 1].

    I = (area that the ground rectangles share) * (overlap of the height intervals); IoU = I / (V_a + V_b - I).
    """
    low = np.maximum(a.centre[:, 2] - a.height / 2, b.centre[:, 2] - b.height / 2)
    high = np.minimum(a.centre[:, 2] + a.height / 2, b.centre[:, 2] + b.height / 2)
    shared = shared_ground(a, b) * np.maximum(high - low, 0.0)
    return np.clip(shared / (a.volume + b.volume - shared), 0.0, 1.0)


def shared_ground(a: UprightBoxes, b: UprightBoxes) -> np.ndarray:
    """Area that the ground rectangles of box i of `a` and box i of `b` share; (n,).

    In the frame of `a`, where its rectangle is |x| <= length/2, |y| <= width/2, Green's theorem turns the area into
    the sum over the four edges of `b` of the integral of -clamp(y, -width/2, width/2) dx within |x| <= length/2. Each
    integrand is linear in at most three pieces. Unlike clipping polygons this has no special cases: edges on edges
    and corners on corners are as good as any.
    """
    shift = b.centre[:, :2] - a.centre[:, :2]
    cos, sin = np.cos(a.yaw), np.sin(a.yaw)
    x = shift[:, 0] * cos + shift[:, 1] * sin
    y = shift[:, 1] * cos - shift[:, 0] * sin
    cos, sin = np.cos(b.yaw - a.yaw), np.sin(b.yaw - a.yaw)
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) / 2  # anticlockwise, along and across the heading
    along, across = signs[:, :1] * b.length, signs[:, 1:] * b.width
    corners_x, corners_y = x + along * cos - across * sin, y + along * sin + across * cos
    area = np.zeros(len(a))
    for edge in range(4):
        end = (edge + 1) % 4
        area -= _clamped_integral(
            corners_x[edge], corners_y[edge], corners_x[end], corners_y[end], a.length / 2, a.width / 2
        )
    return np.maximum(area, 0.0)


def _clamped_integral(
    x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray, half_x: np.ndarray, half_y: np.ndarray
) -> np.ndarray:
    """Integral of clamp(y, -half_y, half_y) dx along the segment from (x0, y0) to (x1, y1), where |x| <= half_x."""
    run = x1 - x0
    slope = np.divide(y1 - y0, run, out=np.zeros_like(run), where=run != 0)
    from_x, to_x = np.clip(x0, -half_x, half_x), np.clip(x1, -half_x, half_x)
    from_y, to_y = y0 + (from_x - x0) * slope, y0 + (to_x - x0) * slope
    low, high = np.minimum(from_y, to_y), np.maximum(from_y, to_y)
    rise = high - low
    flat = rise <= 0
    rise = np.where(flat, 1.0, rise)
    below = np.clip((-half_y - low) / rise, 0.0, 1.0)
    above = np.clip((high - half_y) / rise, 0.0, 1.0)
    between = (np.clip(low, -half_y, half_y) + np.clip(high, -half_y, half_y)) / 2
    mean = np.where(flat, between, half_y * (above - below) + (1.0 - above - below) * between)
    return (to_x - from_x) * mean


@dataclass(frozen=True)
class Found3d:
    """Boxes of many scenes, flat."""

    scene: np.ndarray
    """(n,) int64: the scene, 0.."""
    label: np.ndarray
    """(n,) int64: the class, 0.. for those of the truth, -1 for others."""
    box: UprightBoxes
    score: np.ndarray
    """(n,) float64: confidence; equal ones count in the order given."""


def mean_average_precision_3d(truth: Found3d, guess: Found3d, *, scenes: int, thresholds: np.ndarray) -> float:
    """Average precision per scene, class and IoU threshold; mean over the scene's classes, then over all the rest.

    Within a scene and a class of its truth, predictions go by descending score; each looks at the true box of the
    highest IoU (the first one of equals), hits when that IoU exceeds the threshold and the box is still free, and
    misses otherwise. With precision after k predictions made non-increasing from the right,
    AP = sum over hits of precision / (number of true boxes). Predictions of classes that the scene's truth lacks are not
    looked at. A scene without true boxes scores 1 when nothing is predicted there, else 0.
    """
    if scenes == 0:
        raise UndefinedMetricError("average precision of no scenes")
    classes = 1 + int(truth.label.max(initial=0))
    # One group for each class that occurs in a scene's truth.
    groups, true_group, wanted = np.unique(truth.scene * classes + truth.label, return_inverse=True, return_counts=True)
    group = _position(groups, np.where(guess.label >= 0, guess.scene * classes + guess.label, -1))
    ranked = np.flatnonzero(group >= 0)
    ranked = ranked[np.lexsort((-guess.score[ranked], group[ranked]))]
    group = group[ranked]
    place = np.arange(len(ranked)) - np.searchsorted(group, group, side="left")
    by_group = np.argsort(true_group, kind="stable")
    first = np.searchsorted(true_group[by_group], np.arange(len(groups) + 1))
    # A box that is not the best at the lowest threshold is nowhere.
    best, target = _best_matches(
        guess.box.take(ranked), truth.box, by_group, first[group], first[group + 1], thresholds.min()
    )
    group_scene = groups // classes
    classes_of_scene = np.bincount(group_scene, minlength=scenes)
    total = 0.0
    for threshold in thresholds:
        close = np.flatnonzero(best > threshold)
        # `ranked` goes group by group, so the first to find a true box is the one that hits.
        hits = close[np.sort(np.unique(target[close], return_index=True)[1])]
        precision = _average_precision(group[hits], place[hits], wanted)
        per_scene = np.bincount(group_scene, precision, minlength=scenes)
        total += float(np.sum(per_scene[classes_of_scene > 0] / classes_of_scene[classes_of_scene > 0]))
    silent = (classes_of_scene == 0) & (np.bincount(guess.scene, minlength=scenes) == 0)
    return total / (len(thresholds) * scenes) + int(silent.sum()) / scenes


def _average_precision(group: np.ndarray, place: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """AP of every group, from its hits: the place (0-based) of each among the predictions of its group, ascending."""
    nth = np.arange(len(group)) - np.searchsorted(group, group, side="left")
    precision = (nth + 1) / (place + 1)
    # The running maximum from the right restarts with each group: later groups rank lower throughout.
    values, rank = np.unique(precision, return_inverse=True)
    key = rank + (len(wanted) - group) * len(values)
    envelope = values[np.maximum.accumulate(key[::-1])[::-1] - (len(wanted) - group) * len(values)]
    return np.bincount(group, envelope, minlength=len(wanted)) / wanted


def _best_matches(
    guess: UprightBoxes, truth: UprightBoxes, order: np.ndarray, first: np.ndarray, last: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """For each prediction the highest IoU with its candidates and the first candidate that has it.

    Candidates of prediction i are the true boxes order[first[i]:last[i]]. IoUs of up to `least` may be given as 0.
    """
    best, target = np.zeros(len(guess)), np.full(len(guess), -1, dtype=np.int64)
    reach = [np.hypot(box.length, box.width) / 2 for box in (guess, truth)]
    volume = [guess.volume, truth.volume]
    for mine, theirs in pairs_in_ranges(first, last):
        theirs = order[theirs]
        near = _all_within(guess.centre[mine] - truth.centre[theirs], reach[0][mine] + reach[1][theirs])
        mine, theirs = mine[near], theirs[near]
        # IoU is at most the ratio of the volumes; a little less is asked for, because of rounding.
        small, large = np.sort([volume[0][mine], volume[1][theirs]], axis=0)
        alike = small > large * (least * (1 - 1e-9))
        mine, theirs = mine[alike], theirs[alike]
        value = iou_3d(truth.take(theirs), guess.take(mine))
        # Stable: among equals the first candidate stays in front.
        sort = np.lexsort((-value, mine))
        chosen = sort[np.unique(mine[sort], return_index=True)[1]]
        best[mine[chosen]], target[mine[chosen]] = value[chosen], theirs[chosen]
    return best, target


def _all_within(offset: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Whether ground rectangles can meet: offset (n, 3) between centres, sum of the half diagonals (n,)."""
    return (np.abs(offset[:, 0]) <= reach) & (np.abs(offset[:, 1]) <= reach)


def _position(sorted_values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Position of each wanted value among the sorted ones, -1 where it is missing."""
    if not len(sorted_values):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(sorted_values, wanted), len(sorted_values) - 1)
    return np.where(sorted_values[place] == wanted, place, -1)
