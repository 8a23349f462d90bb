"""Patients of train_labels.csv, 10 % to the test set (seed 0), in drawn order, with their folders of slices."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_tree
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    patients = read_csv(raw / "train_labels.csv", dtype={"BraTS21ID": str, "MGMT_value": int})
    train, test = split_frame(patients, 0.1)
    write_csv(train, public / "train_labels.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(MGMT_value=0.5), public / "sample_submission.csv")
    for name, part in (("train", train), ("test", test)):
        for patient in part["BraTS21ID"]:
            link_tree(raw / "train" / patient, public / name / patient)
