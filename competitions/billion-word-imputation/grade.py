"""The distance is the declared metric; here only what the published grader cannot read as a text is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.grading.table import NA_WORDS


def check(submission: pd.DataFrame) -> None:
    """Refuse sentences that a table reader takes for missing."""
    missing = submission["sentence"].isin(NA_WORDS).to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        word = submission["sentence"].iloc[row]
        raise InvalidSubmissionError(
            Reason.MISSING_VALUES,
            f"Row {row + 1} holds {word!r}, which counts as a missing sentence; give the sentence.",
        )
