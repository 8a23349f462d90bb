"""Rows of train_labels.csv, 20 % to the test set (seed 0), in drawn order, and each image with its row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.files import link, link_all
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

WATER = "InChI=1S/H2O/h1H2"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train_labels.csv"), 0.2)
    write_csv(train, public / "train_labels.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(InChI=WATER), public / "sample_submission.csv")
    link(raw / "extra_approved_InChIs.csv", public / "extra_approved_InChIs.csv")
    for rows, part in ((train, "train"), (test, "test")):
        _link_images(raw / "train", public / part, rows["image_id"])


def _link_images(source: Path, target: Path, ids: pd.Series) -> None:
    """Images lie three folders deep, named by the first three characters of their id."""
    places = (f"{name[0]}/{name[1]}/{name[2]}/{name}.png" for name in sorted(ids))
    link_all((source / place, target / place) for place in places)
