"""The contest's own train and test set; the labels of the test set were published later, -1 where it is not scored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.archives import open_member
from mlebench.data.tables import read_csv, write_csv

LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    write_csv(_read(raw, "train.csv"), public / "train.csv")
    write_csv(_read(raw, "test.csv"), public / "test.csv")
    write_csv(_read(raw, "test_labels.csv"), private / "test.csv")
    sample = _read(raw, "sample_submission.csv")
    write_csv(sample.assign(**dict.fromkeys(LABELS, 0.5)), public / "sample_submission.csv")


def _read(raw: Path, name: str) -> pd.DataFrame:
    with open_member(raw / f"{name}.zip", name) as file:
        return read_csv(file)
