"""0.4 times the mean Dice coefficient of rows plus 0.6 times one less the mean Hausdorff distance of volumes.

Rows are compared by position, as many as both sides have; volumes are put together by the ids of their own side and
compared in sorted order (see the issues).
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.rle import RunLists, check_masks, parse_masks
from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.hausdorff import Shape, hausdorff
from mlebench.metrics.segmentation import dice, overlap

DICE_WEIGHT = 0.4
TOO_MANY = 10
"""A predicted volume with more than this many times the true voxels is as wrong as can be."""


def check(submission: pd.DataFrame) -> None:
    check_masks(submission["predicted"].to_numpy(object), "predicted")


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    submission = submission.head(len(answers))
    truth = parse_masks(answers["predicted"].to_numpy(object), "predicted")
    guess = parse_masks(submission["predicted"].to_numpy(object), "predicted")
    height = answers["image_height"].to_numpy(np.int64)
    width = answers["image_width"].to_numpy(np.int64)
    rows = np.arange(len(submission))
    values = dice(overlap(truth.select(rows), guess, (height * width)[rows]))
    true_volumes = _volumes(answers["id"], truth, height, width)
    guessed_volumes = _volumes(submission["id"], guess, height[rows], width[rows])
    distances = np.array([_distance(*pair) for pair in zip(guessed_volumes, true_volumes, strict=False)])
    if np.isnan(values).all() or np.isnan(distances).all():
        raise UndefinedMetricError("no mask in it or in the truth can be scored")
    return DICE_WEIGHT * float(np.nanmean(values)) + (1 - DICE_WEIGHT) * (1 - float(np.nanmean(distances)))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["id", "class", "predicted"]]


def _volumes(ids: pd.Series, masks: RunLists, height: np.ndarray, width: np.ndarray) -> list[tuple[np.ndarray, Shape]]:
    """Filled voxels and shape of the volume of each scan, sorted by scan; the slices of a scan are sorted by id."""
    masks = masks.clipped(height * width)
    names, slice_of_row = np.unique(ids.to_numpy(object), return_inverse=True)
    scan_names = np.array([name.split("_slice_")[0] for name in names], dtype=object)
    scans, scan_of_slice = np.unique(scan_names, return_inverse=True)
    order = np.argsort(scan_of_slice, kind="stable")
    first = np.searchsorted(scan_of_slice[order], np.arange(len(scans) + 1))
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names)) - first[scan_of_slice[order]]
    by_scan = np.argsort(scan_of_slice[slice_of_row], kind="stable")
    bounds = np.searchsorted(scan_of_slice[slice_of_row][by_scan], np.arange(len(scans) + 1))
    volumes = []
    for scan, name in enumerate(scans.tolist()):
        rows = by_scan[bounds[scan] : bounds[scan + 1]]
        high, wide = int(height[rows[0]]), int(width[rows[0]])
        if (height[rows] != high).any() or (width[rows] != wide).any():
            raise InvalidSubmissionError(
                Reason.BAD_FORMAT,
                f"The slices of {name} fall on rows of differently sized images; keep the row order of test.csv.",
            )
        # Pixels count down the columns, so a flat volume is slices x columns x rows.
        shape = (int(first[scan + 1] - first[scan]), wide, high)
        chosen = masks.select(rows)
        filled = np.zeros(math.prod(shape), dtype=bool)
        starts = np.repeat(place[slice_of_row[rows]] * (high * wide), chosen.areas())
        filled[chosen.pixels() + starts] = True
        volumes.append((np.flatnonzero(filled), shape))
    return volumes


def _distance(guess: tuple[np.ndarray, Shape], truth: tuple[np.ndarray, Shape]) -> float:
    """Hausdorff distance of two volumes, scaled to 0..1; NaN where both are empty."""
    (guess_voxels, guess_shape), (true_voxels, true_shape) = guess, truth
    if not guess_voxels.size and not true_voxels.size:
        return math.nan
    if guess_shape == true_shape and np.array_equal(guess_voxels, true_voxels):
        return 0.0
    if not guess_voxels.size or not true_voxels.size or guess_voxels.size > TOO_MANY * true_voxels.size:
        return 1.0
    return hausdorff(guess_voxels, true_voxels, guess_shape, true_shape) / math.sqrt(3)
