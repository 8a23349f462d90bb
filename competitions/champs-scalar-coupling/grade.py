"""Mean absolute error of each coupling type, at least 1e-9; the score is the mean of their logarithms."""

from __future__ import annotations

import pandas as pd

from mlebench.grading.ids import answer_rows
from mlebench.metrics.regression import group_log_mae

TARGET = "scalar_coupling_constant"


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    rows = answer_rows(submission["id"], answers["id"])
    truth, types = answers[TARGET].to_numpy()[rows], answers["type"].to_numpy()[rows]
    return group_log_mae(truth, submission[TARGET].to_numpy(), types)
