"""Rows of train.csv, a tenth to the test set (seed 0), in drawn order; pictures are renamed by their new row."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

LABELS = ["healthy", "multiple_diseases", "rust", "scab"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    parts = []
    for word, rows in zip(("Train", "Test"), split_frame(read_csv(raw / "train.csv"), 0.1), strict=True):
        new = [f"{word}_{number}" for number in range(len(rows))]
        names = zip(rows["image_id"], new, strict=True)
        link_all((raw / "images" / f"{old}.jpg", public / "images" / f"{name}.jpg") for old, name in names)
        parts.append(rows.assign(image_id=new))
    train, test = parts
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test[["image_id"]], public / "test.csv")
    write_csv(test[["image_id"]].assign(**dict.fromkeys(LABELS, 0.25)), public / "sample_submission.csv")
