"""The files of train.zip, a tenth to the test set (seed 0), renumbered in drawn order; folders and flat archives."""

from __future__ import annotations

from itertools import count
from pathlib import Path, PurePosixPath

import pandas as pd

from mlebench.data.archives import open_zip, read_members, zip_folder
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    archive = raw / "train.zip"
    with open_zip(archive) as opened:
        paths = [PurePosixPath(name) for name in opened.namelist()]
    train, test = split_items(
        sorted(path for path in paths if path.match("*.jpg") and str(path.parent) == "train"), 0.1
    )
    numbers = {"cat": count(), "dog": count()}
    kinds = ["cat" if "cat" in path.name else "dog" for path in train]
    _write(archive, train, public / "train", [f"{kind}.{next(numbers[kind])}.jpg" for kind in kinds])
    answers = pd.DataFrame({"id": range(1, len(test) + 1), "label": [int("dog" in path.name) for path in test]})
    _write(archive, test, public / "test", [f"{number}.jpg" for number in answers["id"]])
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(label=0.5), public / "sample_submission.csv")
    for part in ("train", "test"):
        zip_folder(public / part, public / f"{part}.zip")


def _write(archive: Path, members: list[PurePosixPath], folder: Path, names: list[str]) -> None:
    """Write pictures in the order of their new names: in that of the archive, inodes would tell cats from dogs."""
    folder.mkdir()
    pictures = read_members(archive, (str(path) for path in members), last_time=True)
    for name, (_, content) in zip(names, pictures, strict=True):
        (folder / name).write_bytes(content)
