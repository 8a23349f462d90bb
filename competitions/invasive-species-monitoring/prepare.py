"""Rows of train_labels.csv, a fifth to the test set (seed 0), in drawn order; tables zipped, pictures in folders."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.archives import open_member, write_zip
from mlebench.data.sevenzip import extract_7z
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with open_member(raw / "train_labels.csv.zip") as file:
        train, test = split_frame(read_csv(file), 0.2)
    write_csv(test, private / "answers.csv")
    write_csv(test.assign(invasive=0.5), sample := private / "sample_submission.csv")
    write_csv(train, labels := public / "train_labels.csv")
    write_zip(public / "sample_submission.csv.zip", [(sample.name, sample)])
    write_zip(public / "train_labels.csv.zip", [(labels.name, labels)])
    labels.unlink()
    extract_7z(
        raw / "train.7z", public, members=[f"train/{name}.jpg" for rows in (train, test) for name in rows["name"]]
    )
    (public / "test").mkdir()
    for name in test["name"]:
        (public / "train" / f"{name}.jpg").rename(public / "test" / f"{name}.jpg")
