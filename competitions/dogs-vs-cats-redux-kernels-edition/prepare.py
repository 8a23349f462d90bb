"""The files of train.zip, a tenth to the test set (seed 0), renumbered in drawn order; folders and flat archives."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import pandas as pd

from mlebench.data.archives import extract_zip, zip_folder
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    for part in ("train", "test"):
        (public / part).mkdir()
    with tempfile.TemporaryDirectory(dir=public.parent) as unpacked:
        extract_zip(raw / "train.zip", Path(unpacked))
        train, test = split_items(sorted(Path(unpacked, "train").glob("*.jpg")), 0.1)
        numbers = {"cat": count(), "dog": count()}
        for path in train:
            kind = "cat" if "cat" in path.name else "dog"
            path.rename(public / "train" / f"{kind}.{next(numbers[kind])}.jpg")
        answers = pd.DataFrame({"id": range(1, len(test) + 1), "label": [int("dog" in path.name) for path in test]})
        for number, path in zip(answers["id"], test, strict=True):
            path.rename(public / "test" / f"{number}.jpg")
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(label=0.5), public / "sample_submission.csv")
    for part in ("train", "test"):
        zip_folder(public / part, public / f"{part}.zip")
