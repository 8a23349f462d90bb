"""Pages of train.csv, 10 % to the test set (seed 0), in drawn order; each part's images as a flat archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mlebench.data.archives import read_members, write_zip
from mlebench.data.files import link
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

TOKENS_PER_BOX = 5


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    for name, part in {"train": train, "test": test}.items():
        pages = read_members(raw / "train_images.zip", (f"{page}.jpg" for page in part["image_id"]), last_time=True)
        # Stored: deflating takes minutes on the real pages and saves next to nothing on JPEG files.
        write_zip(public / f"{name}_images.zip", pages, compression=zipfile.ZIP_STORED)
    link(raw / "unicode_translation.csv", public / "unicode_translation.csv")
    write_csv(test[["image_id"]].assign(labels="U+003F 1 1 U+FF2F 2 2"), public / "sample_submission.csv")
    gold = test["labels"].fillna("").map(_points)
    write_csv(test[["image_id"]].assign(labels=gold), private / "gold_submission.csv")


def _points(cell: str) -> str:
    """The perfect prediction for a page: code point and the corner of each box, moved one pixel inwards."""
    tokens = cell.split()
    if len(tokens) % TOKENS_PER_BOX:
        raise DataError("train.csv holds a character that has not 5 values; fetch the raw data again.")
    starts = range(0, len(tokens), TOKENS_PER_BOX)
    return " ".join(f"{tokens[i]} {int(tokens[i + 1]) + 1} {int(tokens[i + 2]) + 1}" for i in starts)
