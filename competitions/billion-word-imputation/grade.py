"""The distance is the declared metric; here only what the published grader cannot read as a text is refused."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.words import check_filled


def check(submission: pd.DataFrame) -> None:
    """Refuse sentences that a table reader takes for missing."""
    check_filled(submission["sentence"], "sentence")
