"""Patients of train.csv, 10 % to the test set (seed 0), in drawn order.

The answers have a row for each test patient and each week between the first and the last test visit; FVC is filled
where a visit was. Agents see the earliest visit of each test patient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link_tree
from mlebench.data.splits import split_groups
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_groups(read_csv(raw / "train.csv"), "Patient", 0.1)
    write_csv(train, public / "train.csv")
    # The published order of equal weeks, which matters where a patient has two visits in the first one.
    first = test.sort_values("Weeks").groupby("Patient").first().reset_index()
    write_csv(first[train.columns], public / "test.csv")

    answers = _weekly(test)
    write_csv(answers, private / "test.csv")
    write_csv(answers[["Patient_Week"]].assign(FVC=2000, Confidence=100), public / "sample_submission.csv")
    for name, part in {"train": train, "test": test}.items():
        for patient in part["Patient"].unique():
            link_tree(raw / "train" / patient, public / name / patient)


def _weekly(visits: pd.DataFrame) -> pd.DataFrame:
    patients = visits["Patient"].unique()
    weeks = np.arange(visits["Weeks"].min(), visits["Weeks"].max() + 1)
    pairs = pd.DataFrame({"Patient": patients.repeat(len(weeks)), "Weeks": np.tile(weeks, len(patients))})
    table = pairs.merge(visits, on=["Patient", "Weeks"], how="left")
    if len(table) != len(pairs):
        raise DataError("train.csv holds two visits of a test patient in the same week; fetch the raw data again.")
    return table.assign(Patient_Week=table["Patient"] + "_" + table["Weeks"].astype(str), Confidence=100)
