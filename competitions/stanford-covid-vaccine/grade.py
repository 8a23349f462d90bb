"""Root mean squared error of three columns over the scored positions, their mean.

Both sides are sorted by id. A submission's scored rows are those whose number in the file is that of a scored row of
the answers (see the issues); for submissions in the order of the sample these are the right ones.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.regression import rmse

SCORED = ["reactivity", "deg_Mg_pH10", "deg_Mg_50C"]


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    keep = answers["keep"].to_numpy(bool)
    true_order = np.argsort(answers["id_seqpos"].to_numpy(object))
    order = np.argsort(submission["id_seqpos"].to_numpy(object))
    truth = answers[SCORED].to_numpy()[true_order[keep[true_order]]]
    rows = order[keep[order]]
    guess = submission[SCORED].to_numpy()[rows]
    missing = np.isnan(guess).any(axis=1)
    if missing.any():
        name = submission["id_seqpos"].iloc[rows[missing.argmax()]]
        raise InvalidSubmissionError(
            Reason.MISSING_VALUES, f"The row of {name}, which is scored, has an empty cell; fill every cell."
        )
    return float(np.mean([rmse(truth[:, i], guess[:, i]) for i in range(len(SCORED))]))
