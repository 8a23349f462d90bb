"""Sentences of train.zip, 10 % to the test set (seed 0), in drawn order; answers are one-hot."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.archives import open_member
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

PRIORS = {"EAP": 0.403493538995863, "HPL": 0.287808366106543, "MWS": 0.308698094897594}


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with open_member(raw / "train.zip") as file:
        train, test = split_frame(read_csv(file), 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test.drop(columns="author"), public / "test.csv")
    one_hot = {author: (test["author"] == author).astype(int) for author in PRIORS}
    write_csv(test[["id"]].assign(**one_hot), private / "test.csv")
    write_csv(test[["id"]].assign(**PRIORS), public / "sample_submission.csv")
