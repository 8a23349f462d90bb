"""practice-diabetes: 70 % of the patients with their progression, 30 % without, numbered in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

TARGET = "progression"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    """Write train.csv, test.csv and sample_submission.csv; answers: test.csv."""
    train, test = split_frame(read_csv(raw / "patients.csv"), test_size=0.3, seed=0)
    # Numbered after shuffling, so that an id tells nothing about where the row stood in the source.
    train.insert(0, "id", range(1, len(train) + 1))
    test.insert(0, "id", range(len(train) + 1, len(train) + len(test) + 1))
    write_csv(train, public / "train.csv")
    write_csv(test.drop(columns=TARGET), public / "test.csv")
    write_csv(test[["id", TARGET]], private / "test.csv")
    write_csv(test[["id"]].assign(**{TARGET: round(train[TARGET].mean(), 1)}), public / "sample_submission.csv")
