"""MAP@5 as published, where a column of lone numbers is read as such: with an empty cell none of them is a hotel."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.words import as_numbers
from mlebench.metrics.ranking import mean_average_precision


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    numbers = as_numbers(submission["hotel_id"])
    guesses = submission["hotel_id"] if numbers is None else numbers.astype(str)
    return mean_average_precision(answers["hotel_id"], guesses.fillna(""), k=5)
