"""The accuracy is the declared metric; here only what the published grader cannot read as a word is refused."""

from __future__ import annotations

import pandas as pd

from mlebench.formats.words import check_filled


def check(submission: pd.DataFrame) -> None:
    """Refuse labels that a table reader takes for missing."""
    check_filled(submission["label"], "label")
