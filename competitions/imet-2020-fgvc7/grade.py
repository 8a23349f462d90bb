"""The score is the declared metric; a column of numbers is what the published grader cannot read."""

from __future__ import annotations

import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason


def check(submission: pd.DataFrame) -> None:
    """Refuse a submission whose attributes are all single numbers; rows without any may stand among them."""
    given = submission["attribute_ids"].dropna()
    # Nearly always the first rows tell; the others are then not looked at.
    if len(given) and _single_numbers(given.head(100)) and _single_numbers(given):
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            "No row of attribute_ids names more than one attribute, which the grader cannot read; "
            "give at least one picture two, as in '448 2429'.",
        )


def _single_numbers(cells: pd.Series) -> bool:
    return bool(pd.to_numeric(cells, errors="coerce").notna().all())
