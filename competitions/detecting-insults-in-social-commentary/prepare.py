"""No split: Kaggle released the labels of the contest's first test set, so both files are taken as they are."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    link(raw / "train.csv", public / "train.csv")
    link(raw / "test_with_solutions.csv", private / "test.csv")
    gold = read_csv(private / "test.csv")[["Insult", "Date", "Comment"]]
    if not set(gold["Comment"]).isdisjoint(read_csv(public / "train.csv")["Comment"]):
        raise DataError("Some test comments stand in train.csv with their label; fetch the raw data again.")
    write_csv(gold, private / "gold_submission.csv")
    write_csv(gold[["Date", "Comment"]], public / "test.csv")
    write_csv(gold.assign(Insult=0), public / "sample_submission_null.csv")
