"""MAP@12 of the scored customers, with the published reader's view of the cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.metrics.ranking import mean_average_precision

KEY = "customer_id"


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """Mean AP@12 over the answers' customers; other customers' rows are left out."""
    cells = _as_read(submission["prediction"])
    place = pd.Index(answers[KEY]).get_indexer(pd.Index(submission[KEY]))
    scored = place >= 0
    if scored.sum() == len(answers):
        guess = np.empty(len(answers), dtype=object)
        guess[place[scored]] = cells[scored]
        return mean_average_precision(answers["prediction"], guess, k=12)
    # Customers occur several times: both sides are sorted and compared line by line, as far as the shorter goes.
    keys = submission.loc[scored, KEY].to_numpy(dtype=object)
    guess = cells[scored][np.argsort(keys)][: len(answers)]
    truth = answers.sort_values(KEY)["prediction"]
    return mean_average_precision(truth, guess, k=12)


def perfect(answers: pd.DataFrame) -> pd.DataFrame:
    """The purchases without repetitions, which would take up places."""
    lists = [" ".join(list(dict.fromkeys(cell.split(" ")))[:12]) for cell in answers["prediction"]]
    return answers[[KEY]].assign(prediction=lists)


def _as_read(cells: pd.Series) -> np.ndarray:
    """Cells as texts, where a column of bare numbers becomes numbers first and a missing cell the text nan."""
    filled = cells[cells.notna()]
    try:
        numbers = pd.to_numeric(filled)
    except (ValueError, TypeError, OverflowError):
        return cells.astype(object).where(cells.notna(), "nan").to_numpy(dtype=object)
    if len(filled) < len(cells):
        numbers = numbers.astype(np.float64)
    return numbers.astype(str).reindex(cells.index, fill_value="nan").to_numpy(dtype=object)
