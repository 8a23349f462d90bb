"""Rows of train.csv, 10 % to the test set (seed 0), in drawn order, with one row exchanged if need be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.splits import train_test_positions
from mlebench.data.tables import read_csv, write_csv

FEATURES = 11
"""The columns before the targets."""
RARE = "question_type_spelling"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    rows = read_csv(raw / "train.csv")
    train, test = train_test_positions(len(rows), 0.1)
    _keep_rare_target_varied(rows[RARE].to_numpy(), train, test)
    targets = list(rows.columns[FEATURES:])
    hidden = rows.iloc[test]
    write_csv(rows.iloc[train], public / "train.csv")
    write_csv(hidden.drop(columns=targets), public / "test.csv")
    write_csv(hidden[["qa_id", *targets]], private / "test.csv")
    # No column of the sample may be constant: a constant has no correlation.
    ramp = pd.DataFrame(dict.fromkeys(targets, np.linspace(0, 1, len(test))), index=hidden.index)
    write_csv(hidden[["qa_id"]].join(ramp), public / "sample_submission.csv")


def _keep_rare_target_varied(rare: np.ndarray, train: np.ndarray, test: np.ndarray) -> None:
    """Where the target has one value in all test rows: exchange the first test row for the first other train row."""
    if len(np.unique(rare[test])) > 1:
        return
    donor = int(np.argmax(rare[train] != 0))
    train[donor], test[0] = test[0], train[donor]
