"""Rows of train.csv, a tenth to the test set (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.drop(columns="diagnosis"), public / "test.csv")
    write_csv(test.assign(diagnosis=0), public / "sample_submission.csv")
    for part, rows in (("train_images", train), ("test_images", test)):
        link_named(raw / "train_images", public / part, rows["id_code"] + ".png")
