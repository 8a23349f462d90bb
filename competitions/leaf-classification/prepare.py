"""Leaves of train.csv, 10 % to the test set (seed 0), in drawn order; pictures of both lie in one folder."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.archives import extract_zip, open_member
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with open_member(raw / "train.csv.zip") as file:
        leaves = read_csv(file)
    train, test = split_frame(leaves, 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test.drop(columns="species"), public / "test.csv")
    species = sorted(leaves["species"].unique())
    one_hot = {name: (test["species"] == name).astype(int) for name in species}
    write_csv(test[["id"]].assign(**one_hot), private / "test.csv")
    write_csv(test[["id"]].assign(**dict.fromkeys(species, 1 / len(species))), public / "sample_submission.csv")
    extract_zip(raw / "images.zip", public, members=[f"images/{leaf}.jpg" for leaf in leaves["id"]])
