"""One Dice coefficient over the contrail pixels of all records together."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.rle import check_masks, parse_masks
from mlebench.metrics.segmentation import overlap, pooled_dice

EMPTY = "-"


def check(submission: pd.DataFrame) -> None:
    check_masks(submission["encoded_pixels"].to_numpy(object), "encoded_pixels", empty=EMPTY)


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth = parse_masks(answers["encoded_pixels"].to_numpy(object), "encoded_pixels", empty=EMPTY)
    guess = parse_masks(submission["encoded_pixels"].to_numpy(object), "encoded_pixels", empty=EMPTY)
    pixels = answers["height"].to_numpy("int64") * answers["width"].to_numpy("int64")
    return pooled_dice(overlap(truth, guess, pixels))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["record_id", "encoded_pixels"]]
