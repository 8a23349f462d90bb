"""Mean absolute error over the submission's rows, rounded to a whole number."""

from __future__ import annotations

import pandas as pd

from mlebench.grading.ids import answer_rows
from mlebench.metrics.regression import mae

TARGET = "time_to_eruption"


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    rows = answer_rows(submission["segment_id"], answers["segment_id"])
    return float(round(mae(answers[TARGET].to_numpy()[rows], submission[TARGET].to_numpy())))
