"""Pictures of train.csv, 15 % to the test set (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link, link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.15)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "answers.csv")
    write_csv(test.assign(attribute_ids="0 1 2"), public / "sample_submission.csv")
    link(raw / "labels.csv", public / "labels.csv")
    for name, part in (("train", train), ("test", test)):
        link_named(raw / "train", public / name, part["id"] + ".png")
