"""One case in ten goes to the test (seed 42), and so do all days of a training case from its fifth one on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.files import link_tree
from mlebench.data.raw_files import list_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

TRAINING_DAYS = 4
"""Scan days of a case that stay in train."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    table = read_csv(raw / "train.csv")
    parts = table["id"].str.split("_", expand=True)
    case = parts[0]
    scan = case + "_" + parts[1]
    train_cases, _ = split_items(list(case.unique()), 0.1, seed=42)
    tested = ~case.isin(train_cases) | scan.isin(_late_scans(case, scan, train_cases))
    train, test = table[~tested], table[tested]
    width, height = _image_sizes(raw / "train", scan[tested], parts.iloc[:, -1][tested])
    answers = test.rename(columns={"segmentation": "predicted"})
    write_csv(train[["id", "class", "segmentation"]], public / "train.csv")
    write_csv(
        answers[["id", "class", "predicted"]].assign(image_width=width, image_height=height), private / "test.csv"
    )
    write_csv(test[["id", "class"]], public / "test.csv")
    write_csv(test[["id", "class"]].assign(predicted="1 1 5 2"), public / "sample_submission.csv")
    held_out = set(scan[tested])
    for folder in sorted({path.parents[1] for path in list_raw(raw / "train", "*/*/*/*")}):
        side = "test" if folder.name in held_out else "train"
        link_tree(folder, public / side / folder.parent.name / folder.name)


def _late_scans(case: pd.Series, scan: pd.Series, train_cases: list[str]) -> list[str]:
    """Scans (case and day) of training cases beyond their first days, counted by the number of the day."""
    scans = pd.DataFrame({"case": case, "scan": scan}).drop_duplicates("scan")
    scans = scans[scans["case"].isin(train_cases)]
    day = scans["scan"].str.rpartition("_day")[2].astype(int)
    place = scans.assign(day=day).sort_values("day").groupby("case").cumcount()
    return list(scans.loc[place[place >= TRAINING_DAYS].index, "scan"])


def _image_sizes(folder: Path, scan: pd.Series, number: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Width and height of each row's slice, from its file's name slice_<number>_<width>_<height>_<...>.png."""
    sizes: dict[tuple[str, str], tuple[float, float]] = {}
    for name in scan.unique():
        for path in list_raw(folder / name.partition("_")[0] / name / "scans", "slice_*.png"):
            _, slice_number, width, height, *_ = path.stem.split("_")
            key = (name, slice_number)
            if key in sizes:
                raise DataError(f"{path.parent} holds slice {slice_number} twice; fetch the raw data again.")
            sizes[key] = (float(width), float(height))
    keys = list(zip(scan, number, strict=True))
    missing = next((key for key in keys if key not in sizes), None)
    if missing:
        raise DataError(f"{folder} has no image of slice {missing[1]} of {missing[0]}; fetch the raw data again.")
    width, height = zip(*(sizes[key] for key in keys), strict=True)
    return pd.Series(width, scan.index), pd.Series(height, scan.index)
