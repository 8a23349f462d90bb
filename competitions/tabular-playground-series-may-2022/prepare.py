"""Rows of train.csv, 100,000 of its 900,000 to the test set (seed 0), in drawn order and numbered anew."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    rows = read_csv(raw / "train.csv")
    train, test = split_frame(rows, len(rows) // 9)
    train = train.assign(id=range(len(train)))
    test = test.assign(id=range(len(train), len(rows)))
    gold = test[["id", "target"]]
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.drop(columns="target"), public / "test.csv")
    write_csv(gold, private / "gold_submission.csv")
    write_csv(gold.assign(target=0.5), public / "sample_submission.csv")
