"""Rows of train_labels.csv; the test share is that of Kaggle's unlabelled patches (seed 0), rows stay in file order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named
from mlebench.data.raw_files import list_raw
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    labels = read_csv(raw / "train_labels.csv")
    unlabelled = len(list_raw(raw / "test", "*.tif"))
    _, drawn = train_test_positions(len(labels), unlabelled / (len(labels) + unlabelled))
    in_test = labels.index.isin(drawn)
    train, test = labels[~in_test], labels[in_test]
    write_csv(train, public / "train_labels.csv")
    write_csv(test, private / "answers.csv")
    write_csv(test.assign(label=0), public / "sample_submission.csv")
    for part, rows in (("train", train), ("test", test)):
        link_named(raw / "train", public / part, rows["id"] + ".tif")
