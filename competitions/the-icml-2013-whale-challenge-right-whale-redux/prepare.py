"""Clips of four days: the first two are train, the last two test; clips are numbered anew in order of their names."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from mlebench.data.archives import open_zip, read_members, write_zip
from mlebench.data.tables import write_csv
from mlebench.errors import DataError

DAYS, TRAIN_DAYS = 4, 2
NUMBER = re.compile(r"TRAIN\d+")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    archive = raw / "train2.zip"
    with open_zip(archive) as source:
        paths = [PurePosixPath(name) for name in source.namelist()]
    members = {path.name: path.as_posix() for path in sorted(paths) if path.suffix == ".aif"}
    days = sorted({_day(name) for name in members})
    if len(days) != DAYS:
        raise DataError(f"{archive} should hold clips of {DAYS} days but holds those of {len(days)}; fetch it again.")
    train = [name for name in members if _day(name) in days[:TRAIN_DAYS]]
    test = [name for name in members if _day(name) in days[TRAIN_DAYS:]]
    shown = {
        "train2": {members[name]: NUMBER.sub(f"TRAIN{i}", name) for i, name in enumerate(train)},
        "test2": {members[name]: f"{name.partition('TRAIN')[0]}Test{i}.aif" for i, name in enumerate(test)},
    }
    for folder, new_names in shown.items():
        clips = read_members(archive, new_names, last_time=True)
        write_zip(public / f"{folder}.zip", ((f"{folder}/{new_names[name]}", clip) for name, clip in clips))
    answers = pd.DataFrame({"clip": list(shown["test2"].values())})
    calls = [int(PurePosixPath(name).stem.endswith("_1")) for name in test]
    write_csv(answers.assign(probability=calls), private / "test.csv")
    write_csv(answers.assign(probability=0), public / "sampleSubmission.csv")


def _day(name: str) -> str:
    return name.partition("_")[0]
