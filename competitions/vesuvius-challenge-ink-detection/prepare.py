"""Fragments 1 and 2 are for training, fragment 3 is the test under the name a, without ink labels and infrared photo."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from PIL import Image

from mlebench.data.files import link_all, link_tree
from mlebench.data.raw_files import list_raw, open_raw
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

TEST_ID = "a"
WITHHELD = ("inklabels.png", "inklabels_rle.csv", "ir.png")
SUFFIXES = (".png", ".csv", ".tif")


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    fragment = raw / "train" / "3"
    for name in ("1", "2"):
        link_tree(raw / "train" / name, public / "train" / name)
    answers = read_csv(fragment / "inklabels_rle.csv")
    if len(answers) != 1:
        raise DataError(f"{fragment / 'inklabels_rle.csv'} has {len(answers)} rows instead of one; fetch it again.")
    with open_raw(fragment / "ir.png") as file, Image.open(file) as photo:
        width, height = photo.size
    answers = answers[["Predicted"]].assign(width=width, height=height)
    answers.insert(0, "Id", TEST_ID)
    write_csv(answers, private / "inklabels_rle.csv")
    write_csv(answers[["Id", "Predicted"]], private / "gold_submission.csv")
    files = list_raw(fragment)
    strange = [path for path in files if path.suffix not in SUFFIXES]
    if strange:
        raise DataError(
            f"{strange[0]} is no {', '.join(SUFFIXES)} file; only those belong to a fragment; fetch the raw data again."
        )
    shown = [path for path in files if path.name not in WITHHELD]
    link_all((path, public / "test" / TEST_ID / path.relative_to(fragment)) for path in shown)
    write_csv(pd.DataFrame({"Id": [TEST_ID], "Predicted": ["1 1 5 1"]}), public / "sample_submission.csv")
