"""Studies, 10 % to the test set (seed 0), sorted by id; images and DICOM folders follow their study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.files import link_tree
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

LABELS = {
    "Negative for Pneumonia": "negative",
    "Typical Appearance": "typical",
    "Indeterminate Appearance": "indeterminate",
    "Atypical Appearance": "atypical",
}
"""Flag column of a study -> its label in predictions, in the order in which the first highest flag is looked for."""
WHOLE = " 1 0 0 1 1"
"""Confidence and dummy box that follow a label without a place."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    studies = read_csv(raw / "train_study_level.csv")
    images = read_csv(raw / "train_image_level.csv")
    parts = dict(zip(("train", "test"), split_frame(studies, 0.1), strict=True))
    parts = {name: part.sort_values("id") for name, part in parts.items()}
    study_of_image = images["StudyInstanceUID"] + "_study"
    own = {name: images[study_of_image.isin(part["id"])].sort_values("id") for name, part in parts.items()}
    write_csv(parts["train"], public / "train_study_level.csv")
    write_csv(own["train"], public / "train_image_level.csv")
    truth = [parts["test"][list(LABELS)].idxmax(axis=1).map(LABELS) + WHOLE, own["test"]["label"]]
    ids = pd.concat([parts["test"]["id"], own["test"]["id"]])
    write_csv(pd.DataFrame({"id": ids, "PredictionString": pd.concat(truth)}), private / "test.csv")
    guesses = ["negative" + WHOLE] * len(parts["test"]) + ["none" + WHOLE] * len(own["test"])
    write_csv(pd.DataFrame({"id": ids, "PredictionString": guesses}), public / "sample_submission.csv")
    for name, part in parts.items():
        for study in part["id"].str.removesuffix("_study"):
            link_tree(raw / "train" / study, public / name / study)
