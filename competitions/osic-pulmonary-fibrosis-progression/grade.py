"""Laplace log likelihood of the last three visits of each patient, of those that the submission holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.grading.ids import answer_rows
from mlebench.metrics import UndefinedMetricError
from mlebench.metrics.regression import laplace_log_likelihood

LAST_VISITS = 3
LEAST_CONFIDENCE = 70.0
MOST_ERROR = 1000.0


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    visits = answers.dropna(subset="FVC")
    weeks = visits["Patient_Week"].str.rpartition("_")[2].astype(int)
    last = visits.loc[weeks.sort_values(kind="stable").index].groupby("Patient").tail(LAST_VISITS).index
    is_scored = answers.index.isin(last)
    rows = answer_rows(submission["Patient_Week"], answers["Patient_Week"])
    guess = submission[is_scored[rows]]
    rows = rows[is_scored[rows]]
    if not rows.size:
        raise UndefinedMetricError("none of its rows is a visit that is scored")
    visited, counts = np.unique(rows, return_counts=True)
    if len(visited) > 1 and counts.max() > 1:  # of a single visit, several guesses are averaged
        name = answers["Patient_Week"].iloc[visited[counts.argmax()]]
        raise InvalidSubmissionError(Reason.DUPLICATE_IDS, f"The id {name!r}, which is scored, occurs more than once.")
    if guess["FVC"].isna().any():
        name = guess["Patient_Week"].loc[guess["FVC"].isna().idxmax()]
        raise InvalidSubmissionError(Reason.MISSING_VALUES, f"FVC of {name!r}, which is scored, is empty; fill it.")
    return laplace_log_likelihood(
        answers["FVC"].to_numpy()[rows],
        guess["FVC"].to_numpy(),
        guess["Confidence"].fillna(0).to_numpy(),
        least_sigma=LEAST_CONFIDENCE,
        most_error=MOST_ERROR,
    )


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return answers[["Patient_Week"]].assign(FVC=answers["FVC"].fillna(0.0), Confidence=LEAST_CONFIDENCE)
