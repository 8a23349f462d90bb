"""Mean absolute error over the rows in which the expiratory valve is closed; the others are not looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.regression import mae


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    scored = answers["u_out"].to_numpy() == 0
    guess = submission["pressure"].to_numpy()[scored]
    if np.isnan(guess).any():
        first = answers["id"].to_numpy()[scored][np.isnan(guess).argmax()]
        raise InvalidSubmissionError(
            Reason.MISSING_VALUES, f"Column pressure is empty for the id {first}, which is scored; fill every cell."
        )
    return mae(answers["pressure"].to_numpy()[scored], guess)
