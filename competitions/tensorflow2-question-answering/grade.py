"""Share of rows that are right: a valid span or YES/NO where something is predicted, no answer where nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.json_lines import read_members

PREDICTION = "PredictionString"


def read_answers(path: Path) -> pd.DataFrame:
    """Two rows per example: the id with _long or _short, and all its valid predictions, separated by blanks."""
    rows = []
    for example, (annotation, *_) in read_members(path, ["example_id", "annotations"]):
        long = [annotation["long_answer"]] if annotation["long_answer"]["start_token"] != -1 else []
        short = [_span(span) for span in annotation["short_answers"]]
        if annotation["yes_no_answer"] != "NONE":
            short.append(annotation["yes_no_answer"])
        rows += [(f"{example}_long", " ".join(map(_span, long))), (f"{example}_short", " ".join(short))]
    return pd.DataFrame(rows, columns=["example_id", "valid"], dtype=object)


def check(submission: pd.DataFrame) -> None:
    """Refuse what is neither start:end, YES, NO nor blank."""
    cells = submission[PREDICTION].fillna("")
    bad = cells.map({cell: _plain(cell) is None for cell in cells.unique()}).to_numpy(dtype=bool)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"Row {row + 1} holds {cells.iloc[row][:40]!r}; a prediction is start:end (token numbers), YES, NO or blank.",
        )


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """The share of right rows, which is what the F1 of the two flags, pooled over both classes, comes to."""
    right = [
        _plain(cell) in valid.split() if cell else not valid
        for cell, valid in zip(submission[PREDICTION].fillna("").tolist(), answers["valid"].tolist(), strict=True)
    ]
    return float(np.mean(right))


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    """The first valid prediction of each row."""
    return answers[["example_id"]].assign(**{PREDICTION: [(valid.split() or [""])[0] for valid in answers["valid"]]})


def _span(tokens: dict[str, int]) -> str:
    return f"{tokens['start_token']}:{tokens['end_token']}"


def _plain(cell: str) -> str | None:
    """A prediction with its numbers written plainly; none when it is no prediction."""
    if cell in ("", "YES", "NO"):
        return cell
    parts = cell.split(":")
    try:
        return f"{int(parts[0])}:{int(parts[1])}" if len(parts) == 2 else None
    except ValueError:
        return None
