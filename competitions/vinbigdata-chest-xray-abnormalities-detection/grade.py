"""COCO's average precision at IoU 0.4 with the published grader's faults; see the issues in competition.toml."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.formats.boxes import Boxes, format_boxes, parse_boxes
from mlebench.grading.ids import answer_rows
from mlebench.metrics.detection import Detections, coco_average_precision

IOU = 0.4
CORNERS = ["x_min", "y_min", "x_max", "y_max"]
FIELDS = ["class", "confidence", *CORNERS]


def check(submission: pd.DataFrame) -> None:
    _parse(submission)


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    images = pd.Index(answers["image_id"].unique())
    truth = _detections(
        images.get_indexer(answers["image_id"]),
        answers["class_id"].to_numpy(np.float64),
        answers[CORNERS].to_numpy(np.float64),
        np.zeros(len(answers)),
    )
    boxes = _parse(submission)
    guess = _detections(
        answer_rows(submission["image_id"], pd.Series(images))[boxes.row],
        np.trunc(boxes["class"]),
        boxes.stacked(CORNERS),
        boxes["confidence"],
    )
    return coco_average_precision(truth, guess, iou=IOU, zero_id_fault=True)


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    fields = [answers["class_id"], np.ones(len(answers)), *(answers[name] for name in CORNERS)]
    images, cells = format_boxes(answers["image_id"].to_numpy(object), [np.asarray(field) for field in fields])
    return pd.DataFrame({"image_id": images, "PredictionString": cells})


def _parse(submission: pd.DataFrame) -> Boxes:
    return parse_boxes(submission["PredictionString"], FIELDS, column="PredictionString")


def _detections(image: np.ndarray, label: np.ndarray, corners: np.ndarray, score: np.ndarray) -> Detections:
    """The corners stand in for x, y, width and height (a v1 fault); only the area is computed rightly."""
    with np.errstate(over="ignore", invalid="ignore"):
        area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return Detections(image, label, corners, area, score)
