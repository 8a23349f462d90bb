"""Breaths of train.csv, 10 % to the test set (seed 0), in drawn order; ids are counted anew from 1 in either part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.splits import split_groups
from mlebench.data.tables import read_csv, write_csv

TYPES = {"id": "int32", "breath_id": "int32", "R": "int8", "C": "int8", "u_out": "int8"}
DIGITS = "%.10g"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = map(_numbered, split_groups(read_csv(raw / "train.csv", dtype=TYPES), "breath_id", 0.1))
    write_csv(train, public / "train.csv", float_format=DIGITS)
    write_csv(test, private / "test.csv", float_format=DIGITS)
    write_csv(test.drop(columns="pressure"), public / "test.csv", float_format=DIGITS)
    write_csv(test[["id"]].assign(pressure=0), public / "sample_submission.csv")


def _numbered(part: pd.DataFrame) -> pd.DataFrame:
    return part.assign(id=np.arange(1, len(part) + 1))
