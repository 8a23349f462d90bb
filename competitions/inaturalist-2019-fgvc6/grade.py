"""Share of images whose first listed category is wrong."""

from __future__ import annotations

import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.classification import accuracy

FIRST = r"^\s*([+-]?[0-9]+)(?:\s.*)?$"
"""A whole number, alone or with others behind it."""


def check(submission: pd.DataFrame) -> None:
    _first_categories(submission)


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    return 1.0 - accuracy(answers["predicted"].to_numpy(), _first_categories(submission).to_numpy())


def _first_categories(submission: pd.DataFrame) -> pd.Series:
    first = submission["predicted"].str.extract(FIRST, expand=False)
    if first.isna().any():
        row = int(first.isna().to_numpy().argmax())
        cell = submission["predicted"].iloc[row]
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"Column predicted must hold whole numbers separated by blanks, but row {row + 1} holds {cell[:40]!r}.",
        )
    return first.astype(float)
