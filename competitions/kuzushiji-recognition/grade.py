"""F1 over the characters of all pages: a point must lie in a box that has its code point."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.formats.boxes import Boxes, format_boxes, parse_boxes
from mlebench.metrics.points import point_box_f1

POINT = ["code_point", "x", "y"]
BOX = ["code_point", "x", "y", "width", "height"]


def check(submission: pd.DataFrame) -> None:
    _parse(submission, POINT)


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth, guess = _parse(answers, BOX), _parse(submission, POINT)
    codes = pd.Index(pd.unique(truth["code_point"]))
    low = truth.stacked(["x", "y"])
    return point_box_f1(
        _key(truth, codes), low, low + truth.stacked(["width", "height"]), _key(guess, codes), guess.stacked(["x", "y"])
    )


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    boxes = _parse(answers, BOX)
    pages = answers["image_id"].to_numpy(object)
    fields = [boxes["code_point"], boxes["x"] + 1, boxes["y"] + 1]
    cells = dict(zip(*format_boxes(pages[boxes.row], fields), strict=True))
    return pd.DataFrame({"image_id": pages, "labels": [cells.get(page, "") for page in pages]})


def _parse(table: pd.DataFrame, fields: list[str]) -> Boxes:
    return parse_boxes(table["labels"], fields, column="labels", text=["code_point"], finite=False)


def _key(boxes: Boxes, codes: pd.Index) -> np.ndarray:
    """One number for page and code point; those that no truth has are all alike, and match nothing."""
    code = codes.get_indexer(boxes["code_point"])
    return np.where(code >= 0, boxes.row * len(codes) + code, -1)
