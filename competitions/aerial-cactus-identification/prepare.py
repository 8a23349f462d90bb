"""Rows of train.csv, 19 % to the test set (seed 0), in drawn order; each part's images as a flat archive."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.archives import read_members, write_zip
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.19)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(has_cactus=0.5), public / "sample_submission.csv")
    for name, part in {"train": train, "test": test}.items():
        images = read_members(raw / "train.zip", (f"train/{image}" for image in sorted(part["id"])), last_time=True)
        write_zip(public / f"{name}.zip", ((member.removeprefix("train/"), content) for member, content in images))
