"""F0.5 over the pixels of a fragment, from the runs alone; mean over fragments (there is one)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.formats.rle import check_masks, parse_masks
from mlebench.metrics.segmentation import overlap, pixel_f_beta


def check(submission: pd.DataFrame) -> None:
    check_masks(submission["Predicted"].to_numpy(object), "Predicted")


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth = parse_masks(answers["Predicted"].to_numpy(object), "Predicted")
    guess = parse_masks(submission["Predicted"].to_numpy(object), "Predicted")
    pixels = answers["height"].to_numpy("int64") * answers["width"].to_numpy("int64")
    return float(np.mean(pixel_f_beta(overlap(truth, guess, pixels), beta=0.5)))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["Id", "Predicted"]]
