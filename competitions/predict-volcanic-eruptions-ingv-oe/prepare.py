"""Segments of train.csv, 10 % to the test set (seed 0), in drawn order; sensor files stay as they are."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(time_to_eruption=0), public / "sample_submission.csv")
    for name, part in {"train": train, "test": test}.items():
        files = (f"{segment}.csv" for segment in part["segment_id"])
        link_all((raw / "train" / file, public / name / file) for file in files)
