"""A tenth of the images (seed 0) to the test set; its answers keep one box per image and class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link_all
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv
from mlebench.formats.boxes import format_boxes

NO_FINDING = 14
NO_FINDING_PREDICTION = "14 1 0 0 1 1"
CORNERS = ["x_min", "y_min", "x_max", "y_max"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    boxes = read_csv(raw / "train.csv")
    train, test = split_items(boxes["image_id"].unique().tolist(), 0.1)
    write_csv(boxes[boxes["image_id"].isin(train)], public / "train.csv")
    sample = pd.DataFrame({"image_id": test}).assign(PredictionString=NO_FINDING_PREDICTION)
    write_csv(sample, public / "sample_submission.csv")

    answers = consensus(boxes[boxes["image_id"].isin(test)])
    write_csv(answers, private / "answers.csv")
    write_csv(as_submission(answers), private / "gold_submission.csv")
    for part, images in (("train", train), ("test", test)):
        link_all((raw / "train" / f"{image}.dicom", public / part / f"{image}.dicom") for image in images)


def consensus(boxes: pd.DataFrame) -> pd.DataFrame:
    """The first box of each image and class; "no finding" is the box 0 0 1 1."""
    first = boxes.groupby(["image_id", "class_id"]).first().reset_index()
    first[CORNERS] = first[CORNERS].fillna(0.0)
    first.loc[first["class_id"] == NO_FINDING, ["x_max", "y_max"]] = 1.0
    return first


def as_submission(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers' boxes as predictions of confidence 1.0."""
    fields = [answers["class_id"], np.ones(len(answers)), *(answers[name] for name in CORNERS)]
    images, cells = format_boxes(answers["image_id"].to_numpy(object), [np.asarray(field) for field in fields])
    return pd.DataFrame({"image_id": images, "PredictionString": cells})
