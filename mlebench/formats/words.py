"""Columns of words, and what becomes of them where the published reader guesses types.

That reader takes a column in which every filled cell is a number for a column of numbers. Graders written for words
then fail, or compare texts such as "4567.0".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason

NA_WORDS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
"""Cells that the published reader takes for missing (pandas' default list)."""


def as_numbers(cells: pd.Series) -> pd.Series | None:
    """The column as the numbers for which the published reader takes it; none where a filled cell is no number.

    Missing or empty cells become NaN, and then whole numbers are floats too.
    """
    filled = cells[cells.notna() & (cells != "")]
    # One look at the first cell spares most columns of words the rest.
    if pd.to_numeric(filled.head(1), errors="coerce").isna().any():
        return None
    numbers = pd.to_numeric(filled, errors="coerce")
    return None if numbers.isna().any() else numbers.reindex(cells.index)


def check_words(cells: pd.Series, column: str) -> None:
    """Refuse a column without a single word, on which the published grader fails."""
    if as_numbers(cells) is not None:
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT, f"Column {column} must hold names, but all of its cells are numbers or empty."
        )


def check_filled(cells: pd.Series, column: str) -> None:
    """Refuse words that the published reader takes for missing (NA, null, ...), on which the published grader fails."""
    missing = cells.isin(NA_WORDS).to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise InvalidSubmissionError(
            Reason.MISSING_VALUES,
            f"Column {column} holds {cells.iloc[row]!r} in row {row + 1}, which counts as an empty cell; fill every cell.",
        )
