"""Rows of train.csv, a tenth to the test set (seed 0), in drawn order; the sample is made of random numbers (seed 0)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.files import link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    guesses = np.random.default_rng(0).uniform(1, 100, len(test)).round(2)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.drop(columns="Pawpularity"), public / "test.csv")
    write_csv(test[["Id"]].assign(Pawpularity=guesses), public / "sample_submission.csv")
    for part, rows in (("train", train), ("test", test)):
        link_named(raw / "train", public / part, rows["Id"] + ".jpg")
