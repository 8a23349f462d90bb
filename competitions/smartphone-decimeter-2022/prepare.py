"""Dates of drives, 10 % to the test set (seed 0): a drive goes where its date goes, with all its phones.

Test drives are published as they are but for ground_truth.csv.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.files import link_all, link_tree
from mlebench.data.raw_files import list_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError
from mlebench.recipes.quick_floats import quick_floats

TRUTH = "ground_truth.csv"
PLACE = ["LatitudeDegrees", "LongitudeDegrees"]
NOWHERE = {"LatitudeDegrees": 37.904611315634504, "LongitudeDegrees": -86.48107806249548}


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    recordings = list_raw(raw / "train")
    drives = sorted({path.relative_to(raw / "train").parts[0] for path in recordings})
    train_dates, _ = split_items(sorted({_date(drive) for drive in drives}), 0.1)
    trips = []
    for drive in drives:
        source = raw / "train" / drive
        if _date(drive) in train_dates:
            link_tree(source, public / "train" / drive)
            continue
        files = list_raw(source)
        kept = (path for path in files if path.name != TRUTH)
        link_all((path, public / "test" / drive / path.relative_to(source)) for path in kept)
        trips += [_trip(drive, path) for path in files if path.name == TRUTH]
    answers = pd.concat(trips)
    write_csv(answers, private / "test.csv")
    write_csv(answers.assign(**NOWHERE), public / "sample_submission.csv")
    link_tree(raw / "metadata", public / "metadata")


def _date(drive: str) -> str:
    year, month, day = drive.split("-")[:3]
    return f"{year}-{month:0>2}-{day:0>2}"


def _trip(drive: str, truth: Path) -> pd.DataFrame:
    phone = truth.parent.name
    if "-" in phone:
        raise DataError(f"{truth.parent} holds a hyphen in the phone's name, which parts drive and phone; fetch again.")
    table = read_csv(truth, usecols=["UnixTimeMillis", *PLACE], dtype=dict.fromkeys(PLACE, str))
    places = {name: quick_floats(table[name]) for name in PLACE}
    return pd.DataFrame({"tripId": f"{drive}-{phone}", "UnixTimeMillis": table["UnixTimeMillis"], **places})
