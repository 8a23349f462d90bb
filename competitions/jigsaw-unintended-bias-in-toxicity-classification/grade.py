"""Area under the ROC curve overall, and within and around the comments that mention each of nine identities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.metrics.classification import roc_auc

IDENTITIES = [
    "male", "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white",
    "psychiatric_or_mental_illness",
]  # fmt: skip
CUT = 0.5
POWER = -5.0


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """0.25 * (overall AUC + power means of the subgroup, BPSN and BNSP AUCs), on predictions cut at 0.5.

    BPSN: non-toxic comments with the identity and toxic ones without it. BNSP: toxic ones with and non-toxic ones
    without it. A missing share or prediction is below the cut.
    """
    toxic = answers["toxicity"].to_numpy(np.float64) >= CUT
    guess = submission["prediction"].to_numpy(np.float64) >= CUT
    parts = [roc_auc(toxic, guess)]
    mentioned = [answers[name].to_numpy(np.float64) >= CUT for name in IDENTITIES]
    for subsets in (
        mentioned,
        [with_it != toxic for with_it in mentioned],
        [with_it == toxic for with_it in mentioned],
    ):
        parts.append(power_mean([roc_auc(toxic[rows], guess[rows]) for rows in subsets]))
    return float(np.mean(parts))


def power_mean(values: list[float]) -> float:
    """(mean(v ** -5)) ** (-1/5), which the smallest values dominate; 0 when one of them is 0."""
    if min(values) == 0:
        return 0.0
    return float(np.mean(np.power(values, POWER)) ** (1 / POWER))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    """The true shares."""
    return answers[["id"]].assign(prediction=answers["toxicity"])
