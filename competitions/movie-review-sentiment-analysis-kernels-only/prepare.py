"""Phrases of train.tsv, 30 % to the test set (seed 0), in drawn order; agents get zipped tables of tabs."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.archives import open_member, write_zip
from mlebench.data.splits import split_frame
from mlebench.data.tables import csv_bytes, read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with open_member(raw / "train.tsv.zip") as file:
        train, test = split_frame(read_csv(file, sep="\t"), 0.3)
    write_csv(test, private / "answers.csv")
    for name, part in (("train.tsv", train), ("test.tsv", test.drop(columns="Sentiment"))):
        write_zip(public / f"{name}.zip", [(name, csv_bytes(part, sep="\t"))])
    write_csv(test[["PhraseId"]].assign(Sentiment=2), public / "sampleSubmission.csv")
