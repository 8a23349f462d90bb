"""Places are split, not images: a tenth of them (seed 8) to the test set."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mlebench.data.archives import read_members, write_zip
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv

SEED = 8
"""Chosen for the published benchmark, so that these places hold about as many images as wanted."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    table = read_csv(raw / "train.csv")
    _, places = split_items(table["location"].unique().tolist(), 0.1, SEED)
    in_test = table["location"].isin(places)
    train, test = table[~in_test], table[in_test]
    write_csv(train, public / "train.csv")
    write_csv(test.drop(columns="category_id"), public / "test.csv")
    write_csv(test, private / "test.csv")
    answers = test[["id", "category_id"]].rename(columns={"id": "Id", "category_id": "Category"})
    write_csv(answers, private / "answers.csv")
    # The published sample has the row numbers of train.csv in a column without a name.
    write_csv(answers.assign(Category=0).reset_index(names=""), public / "sample_submission.csv")
    for name, part in (("train", train), ("test", test)):
        images = read_members(
            raw / "train_images.zip", (f"{image}.jpg" for image in sorted(part["id"].unique())), last_time=True
        )
        # Tens of gigabytes of JPEGs, which do not get smaller.
        write_zip(public / f"{name}_images.zip", images, compression=zipfile.ZIP_STORED)
