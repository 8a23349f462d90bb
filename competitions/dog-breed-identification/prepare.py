"""Rows of labels.csv, a tenth to the test set (seed 0), in drawn order; the answers are one-hot."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.files import link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

BREEDS = (Path(__file__).parent / "breeds.txt").read_text(encoding="utf-8").split()


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "labels.csv"), 0.1)
    one_hot = pd.DataFrame({breed: (test["breed"] == breed).astype(int) for breed in BREEDS})
    one_hot.insert(0, "id", test["id"])
    write_csv(train, public / "labels.csv")
    write_csv(one_hot, private / "test.csv")
    write_csv(one_hot.assign(**dict.fromkeys(BREEDS, 1 / len(BREEDS))), public / "sample_submission.csv")
    for part, rows in (("train", train), ("test", test)):
        link_named(raw / "train", public / part, rows["id"] + ".jpg")
