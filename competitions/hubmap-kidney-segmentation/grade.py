"""Mean Dice coefficient of gigapixel masks, from their runs alone."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.rle import check_masks, parse_masks
from mlebench.metrics.segmentation import mean_dice, overlap


def check(submission: pd.DataFrame) -> None:
    check_masks(submission["predicted"].to_numpy(object), "predicted")


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth = parse_masks(answers["encoding"].to_numpy(object), "encoding")
    guess = parse_masks(submission["predicted"].to_numpy(object), "predicted")
    pixels = answers["height_pixels"].to_numpy("int64") * answers["width_pixels"].to_numpy("int64")
    return mean_dice(overlap(truth, guess, pixels))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["id"]].assign(predicted=answers["encoding"])
