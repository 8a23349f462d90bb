"""Metrics for boxes found in pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlebench.metrics import UndefinedMetricError

MAX_DETECTIONS = 100
"""COCO counts this many predictions of a class in a picture, those of the highest scores."""
MAX_AREA = 1e10
"""Boxes of a greater (or a negative) area are left out of account; COCO's "all sizes"."""
RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Detections:
    """Boxes of many pictures, flat: true ones, or predicted ones with a score."""

    image: np.ndarray
    """(n,) int: the picture, 0..; pictures of equal scores count in this order."""
    label: np.ndarray
    """(n,): the class, a whole number of any dtype."""
    box: np.ndarray
    """(n, 4) float64: x, y, width, height."""
    area: np.ndarray
    """(n,) float64: the area that decides whether the box counts; it need not be width * height."""
    score: np.ndarray
    """(n,) float64: confidence; zeros for true boxes."""

    def __len__(self) -> int:
        return len(self.image)

    def take(self, which: np.ndarray) -> Detections:
        """Some of the boxes, by mask or positions."""
        return Detections(self.image[which], self.label[which], self.box[which], self.area[which], self.score[which])

    @property
    def ignored(self) -> np.ndarray:
        """(n,) bool: whether the area is outside of what counts."""
        return (self.area < 0) | (self.area > MAX_AREA)


def coco_average_precision(truth: Detections, guess: Detections, *, iou: float, zero_id_fault: bool = False) -> float:
    """COCO's mean average precision at one IoU threshold, as pycocotools computes it, without its loops.

    Per picture and class the 100 predictions of the highest scores (ties in the order given) are matched, best first,
    to the free true box of the highest IoU >= `iou`. Per class all predictions are then ordered by score; precision
    TP / (TP + FP) is made non-increasing from the right and read at the recalls 0, 0.01, ..., 1 (0 beyond the
    recall that is reached). The score is the mean over these 101 values and over all classes of the truth; range
    [0, 1]. Boxes of an ignored area cost and bring nothing. Predictions of other classes are not looked at.

    `zero_id_fault` reproduces a grader that numbers boxes from 0 although pycocotools takes 0 for "not matched": the
    first true box of all can be found, but finding it counts as a miss; and the first prediction of all does not
    use up the true box that it finds.

    Raises UndefinedMetricError when no true box counts.
    """
    if not len(truth):
        raise UndefinedMetricError("average precision needs at least one true box")
    classes = np.unique(truth.label)
    guess_first, truth_first = np.arange(len(guess)) == 0, np.arange(len(truth)) == 0
    known = np.flatnonzero(np.isin(guess.label, classes))
    order = known[np.lexsort((-guess.score[known], guess.image[known], guess.label[known]))]
    guess, guess_first = guess.take(order), guess_first[order]
    # True boxes that do not count are tried last.
    order = np.lexsort((truth.ignored, truth.image, truth.label))
    truth, truth_first = truth.take(order), truth_first[order]

    images = 1 + max(truth.image.max(initial=0), guess.image.max(initial=0))
    truth_group = np.searchsorted(classes, truth.label) * images + truth.image
    guess_group = np.searchsorted(classes, guess.label) * images + guess.image
    rank = np.arange(len(guess)) - np.searchsorted(guess_group, guess_group, side="left")
    kept = rank < MAX_DETECTIONS
    guess, guess_first, guess_group, rank = guess.take(kept), guess_first[kept], guess_group[kept], rank[kept]
    first, last = (np.searchsorted(truth_group, guess_group, side=side) for side in ("left", "right"))
    found = _match(truth, guess, rank, first, last, iou, guess_first & zero_id_fault)
    counted = (found >= 0) & ~(truth_first[found] & zero_id_fault)
    ignored = ((found >= 0) & truth.ignored[found]) | (~counted & guess.ignored)

    precisions = []
    for label in classes:
        wanted = int(np.count_nonzero(~truth.ignored[truth.label == label]))
        if wanted:
            own = guess.label == label
            order = np.argsort(-guess.score[own], kind="stable")
            hit, shown = counted[own][order], ~ignored[own][order]
            precisions.append(_interpolated_precision(hit & shown, ~hit & shown, wanted))
    if not precisions:
        raise UndefinedMetricError("average precision needs at least one true box")
    return float(np.mean(precisions))


def _match(
    truth: Detections,
    guess: Detections,
    rank: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    iou: float,
    never_blocks: np.ndarray,
) -> np.ndarray:
    """The true box that each prediction finds, or -1.

    `rank` is a prediction's place among those of its picture and class; its candidates are the true boxes
    from number `first` up to `last`. All groups go on at once: first every group's best prediction, then its second.
    """
    found = np.full(len(guess), -1, dtype=np.int64)
    free = np.ones(len(truth), dtype=bool)
    hopeful = np.flatnonzero(first < last)
    for place in range(1 + int(rank[hopeful].max(initial=-1))):
        now = hopeful[rank[hopeful] == place]
        best = np.full(len(now), min(iou, 1 - 1e-10))
        chosen = np.full(len(now), -1, dtype=np.int64)
        for step in range(int((last - first)[now].max(initial=0))):
            candidate = np.minimum(first[now] + step, len(truth) - 1)
            overlap = _iou(guess.box[now], truth.box[candidate])
            better = (first[now] + step < last[now]) & free[candidate] & (overlap >= best)
            # A match that counts is never given up for one that does not.
            better &= ~((chosen >= 0) & ~truth.ignored[chosen] & truth.ignored[candidate])
            best, chosen = np.where(better, overlap, best), np.where(better, candidate, chosen)
        found[now] = chosen
        free[chosen[(chosen >= 0) & ~never_blocks[now]]] = False
    return found


def _iou(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """IoU of boxes (x, y, width, height), pair by pair; 0 where they do not overlap."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        corner = np.minimum(one[:, :2] + one[:, 2:], two[:, :2] + two[:, 2:])
        sides = corner - np.maximum(one[:, :2], two[:, :2])
        both = sides[:, 0] * sides[:, 1]
        union = one[:, 2] * one[:, 3] + two[:, 2] * two[:, 3] - both
        return np.where((sides > 0).all(axis=1), both / union, 0.0)


def _interpolated_precision(hits: np.ndarray, misses: np.ndarray, wanted: int) -> np.ndarray:
    """Precision at the 101 recalls, from hits and misses in order of score."""
    hit, miss = np.cumsum(hits, dtype=np.float64), np.cumsum(misses, dtype=np.float64)
    precision = hit / (miss + hit + np.spacing(1))
    envelope = np.r_[np.maximum.accumulate(precision[::-1])[::-1], 0.0]
    return envelope[np.searchsorted(hit / wanted, RECALLS, side="left")]
