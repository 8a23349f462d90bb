"""practice-digits: 70 % of the pictures with their labels, 30 % without, renumbered in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    """Write train.csv, train/<id>.png, test/<id>.png and sample_submission.csv; answers: test.csv."""
    train, test = split_frame(read_csv(raw / "digits.csv"), test_size=0.3, seed=0)
    # Numbered after shuffling, so that an id tells nothing about where the picture stood in the source.
    train = train.assign(id=range(1, len(train) + 1))
    test = test.assign(id=range(len(train) + 1, len(train) + len(test) + 1))
    for name, part in (("train", train), ("test", test)):
        link_all(
            (raw / "images" / f"{row}.png", public / name / f"{number}.png")
            for row, number in zip(part["row"], part["id"], strict=True)
        )
    write_csv(train[["id", "label"]], public / "train.csv")
    write_csv(test[["id", "label"]], private / "test.csv")
    write_csv(test[["id"]].assign(label=0), public / "sample_submission.csv")
