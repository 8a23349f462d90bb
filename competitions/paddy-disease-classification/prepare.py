"""Rows of train.csv, a quarter to the test set (seed 0), in drawn order; test pictures leave their class folders."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all, link_named
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    labels = read_csv(raw / "train.csv")
    train, test = split_frame(labels, len(labels) - int(0.75 * len(labels)))
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test[["image_id"]].assign(label=""), public / "sample_submission.csv")
    link_named(raw / "train_images", public / "train_images", train["label"] + "/" + train["image_id"])
    # All at once: pictures that are placed class by class could be told apart by the numbers of their inodes.
    pictures = zip(test["label"], test["image_id"], strict=True)
    link_all((raw / "train_images" / label / image, public / "test_images" / image) for label, image in pictures)
