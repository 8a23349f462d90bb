"""Rows of train.csv but for one image that is listed twice; a tenth to the test set (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all, link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

LISTED_TWICE = "ce27d36c9147cc19.jpg"
SAMPLE = "36363 53586 18807 64314 60181"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    photos = read_csv(raw / "train.csv")
    train, test = split_frame(photos[photos["image"] != LISTED_TWICE], 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test[["image"]].assign(hotel_id=SAMPLE), public / "sample_submission.csv")
    link_named(raw / "train_images", public / "train_images", train["chain"].astype(str) + "/" + train["image"])
    # All at once: pictures that are placed chain by chain could be told apart by the numbers of their inodes.
    pictures = zip(test["chain"].astype(str), test["image"], strict=True)
    link_all((raw / "train_images" / chain / image, public / "test_images" / image) for chain, image in pictures)
