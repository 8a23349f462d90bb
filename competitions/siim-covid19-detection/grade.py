"""Mean over the classes of the published, lenient average precision (see metrics/lenient_detection.py)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.boxes import Boxes, parse_boxes
from mlebench.metrics.lenient_detection import PlacedBoxes, lenient_average_precision

CORNERS = ["xmin", "ymin", "xmax", "ymax"]
FIELDS = ["label", "confidence", *CORNERS]
CLASSES = ["negative", "typical", "indeterminate", "atypical", "none", "opacity"]


def check(submission: pd.DataFrame) -> None:
    boxes = _parse(submission)
    bad = ~np.isfinite(boxes["confidence"]) & np.isin(boxes["label"], CLASSES)
    if bad.any():
        row = boxes.row[int(np.argmax(bad))] + 1
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"Column PredictionString holds in row {row} a confidence that is not finite; give a number.",
        )


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth, guess = _parse(answers), _parse(submission)
    classes = pd.Index(pd.unique(truth["label"]))
    return lenient_average_precision(_placed(truth, classes), _placed(guess, classes), rows=len(answers), iou=0.5)


def _parse(table: pd.DataFrame) -> Boxes:
    return parse_boxes(
        table["PredictionString"], FIELDS, column="PredictionString", text=["label"], finite=False, single_blanks=False
    )


def _placed(boxes: Boxes, classes: pd.Index) -> PlacedBoxes:
    label = classes.get_indexer(boxes["label"])
    known = label >= 0
    return PlacedBoxes(boxes.row[known], label[known], boxes.stacked(CORNERS)[known], boxes["confidence"][known])
