"""Per tile the share of ten IoU thresholds that the predicted salt mask exceeds; mean over tiles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.formats.rle import check_masks, parse_masks
from mlebench.metrics.segmentation import Overlap, iou, overlap, share_of_thresholds

PIXELS = 101 * 101
THRESHOLDS = np.arange(0.5, 1.0, 0.05)


def check(submission: pd.DataFrame) -> None:
    check_masks(submission["rle_mask"].to_numpy(object), "rle_mask")


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth = parse_masks(answers["rle_mask"].to_numpy(object), "rle_mask")
    counts = overlap(truth, parse_masks(submission["rle_mask"].to_numpy(object), "rle_mask"), PIXELS)
    empty = counts.guess == 0
    # The published histogram takes an empty prediction for one that marks every pixel (see the issues).
    seen = Overlap(
        shared=np.where(empty, counts.truth, counts.shared),
        truth=counts.truth,
        guess=np.where(empty, PIXELS, counts.guess),
    )
    hits = share_of_thresholds(iou(seen), THRESHOLDS)
    return float(np.mean(np.where(counts.truth == 0, empty, hits)))
