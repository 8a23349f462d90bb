"""Average precision of upright boxes per sample, class and IoU threshold; see metrics/boxes3d.py."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.boxes import Boxes, parse_boxes
from mlebench.metrics.boxes3d import Found3d, UprightBoxes, mean_average_precision_3d

CENTRE = ["center_x", "center_y", "center_z"]
SIZE = ["width", "length", "height"]
FIELDS = ["confidence", *CENTRE, *SIZE, "yaw", "class_name"]
THRESHOLDS = np.array([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
LARGEST = 10_000.0
"""Sizes in metres beyond which the published geometry breaks down."""


def check(submission: pd.DataFrame) -> None:
    boxes = _parse(submission)
    for field in FIELDS[:-1]:
        values = boxes[field]
        bad = np.isnan(values) if field == "confidence" else ~np.isfinite(values)
        if field in SIZE:
            bad |= ~((values > 0) & (values <= LARGEST))
        if bad.any():
            box = int(np.argmax(bad))
            wanted = "between 0 and 10,000" if field in SIZE else "a number"
            raise InvalidSubmissionError(
                Reason.BAD_FORMAT,
                f"Column PredictionString holds in row {boxes.row[box] + 1} the {field} {values[box]:g}; "
                f"it must be {wanted}.",
            )


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    truth, guess = _parse(answers), _parse(submission)
    classes = pd.Index(pd.unique(truth["class_name"]))
    return mean_average_precision_3d(
        _found(truth, classes), _found(guess, classes), scenes=len(answers), thresholds=THRESHOLDS
    )


def _parse(table: pd.DataFrame) -> Boxes:
    cells = (cell if isinstance(cell, str) and not cell.isspace() else "" for cell in table["PredictionString"])
    return parse_boxes(cells, FIELDS, column="PredictionString", text=["class_name"], finite=False)


def _found(boxes: Boxes, classes: pd.Index) -> Found3d:
    sizes = [boxes[field] for field in SIZE]
    return Found3d(
        scene=boxes.row,
        label=classes.get_indexer(boxes["class_name"]),
        box=UprightBoxes(boxes.stacked(CENTRE), *sizes, boxes["yaw"]),
        score=boxes["confidence"],
    )
