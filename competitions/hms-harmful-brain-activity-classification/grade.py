"""Kullback-Leibler divergence of the predicted from the true shares of votes; empty cells drop out (see the issues)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.classification import kl_divergence

VOTES = ["seizure_vote", "lpd_vote", "gpd_vote", "lrda_vote", "grda_vote", "other_vote"]
SUM_DECIMALS = 5


def check(submission: pd.DataFrame) -> None:
    sums = np.nansum(submission[VOTES].to_numpy(), axis=1)
    wrong = np.round(sums, SUM_DECIMALS) != 1
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidSubmissionError(
            Reason.ROW_SUM, f"Each row's six votes must add up to 1, but row {row + 1} adds up to {sums[row]:.6g}."
        )


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    return kl_divergence(_shares(answers), submission[VOTES].to_numpy())


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([answers["eeg_id"], pd.DataFrame(_shares(answers), columns=VOTES)], axis=1)


def _shares(answers: pd.DataFrame) -> np.ndarray:
    votes = answers[VOTES].to_numpy(np.float64)
    return votes / votes.sum(axis=1, keepdims=True)
