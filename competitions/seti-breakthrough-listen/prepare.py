"""Items of train_labels.csv, 10 % to the test set (seed 0), in drawn order; the withdrawn first version comes along."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_named, link_tree
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train_labels.csv"), 0.1)
    write_csv(train, public / "train_labels.csv")
    write_csv(test, private / "test.csv")
    write_csv(test.assign(target=0.5), public / "sample_submission.csv")
    link_tree(raw / "old_leaky_data", public / "old_leaky_data")
    for name, part in (("train", train), ("test", test)):
        link_named(raw / "train", public / name, (f"{item[0]}/{item}.npy" for item in part["id"]))
