"""Edit distance between predicted and true lists of gestures, summed, over the number of true gestures."""

from __future__ import annotations

import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason


def check(submission: pd.DataFrame) -> None:
    _gestures(submission["Sequence"])


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    from rapidfuzz.distance import Levenshtein

    truth, guess = _gestures(answers["Sequence"]), _gestures(submission["Sequence"])
    return sum(map(Levenshtein.distance, truth, guess)) / sum(map(len, truth))


def _gestures(cells: pd.Series) -> list[list[int]]:
    return [_numbers(cell, row) for row, cell in enumerate(cells.tolist(), start=1)]


def _numbers(cell: str, row: int) -> list[int]:
    try:
        return [int(word) for word in cell.split()]
    except ValueError:
        shown = cell if len(cell) <= 40 else cell[:37] + "..."
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"Column Sequence must hold whole numbers parted by blanks, but row {row} holds {shown!r}.",
        ) from None
