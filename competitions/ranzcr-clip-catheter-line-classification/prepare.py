"""Rows of train.csv, a tenth to the test set (seed 0), in drawn order; drawn lines of the training pictures only."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

SCORED = [
    "ETT - Abnormal", "ETT - Borderline", "ETT - Normal", "NGT - Abnormal", "NGT - Borderline",
    "NGT - Incompletely Imaged", "NGT - Normal", "CVC - Abnormal", "CVC - Borderline",
]  # fmt: skip


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    lines = read_csv(raw / "train_annotations.csv")
    write_csv(train, public / "train.csv")
    write_csv(lines[lines["StudyInstanceUID"].isin(train["StudyInstanceUID"])], public / "train_annotations.csv")
    write_csv(test, private / "test.csv")
    sample = test[["StudyInstanceUID"]].assign(**dict.fromkeys(SCORED, 0))
    write_csv(sample, public / "sample_submission.csv")
    for part, rows in (("train", train), ("test", test)):
        link_named(raw / "train", public / part, rows["StudyInstanceUID"] + ".jpg")
