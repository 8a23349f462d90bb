"""Rows of train.csv, a fifth to the test set (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.2)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "answers.csv")
    write_csv(test.assign(labels="healthy"), public / "sample_submission.csv")
    link_named(raw / "train_images", public / "train_images", train["image"])
    link_named(raw / "train_images", public / "test_images", test["image"])
