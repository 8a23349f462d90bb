"""Kendall's tau over orders of cells; an order must hold exactly the notebook's cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.metrics.items import item_codes, split_items
from mlebench.metrics.ranking import NotAPermutationError, pooled_kendall_tau


def check(submission: pd.DataFrame) -> None:
    """Refuse orders that name a cell twice."""
    rows, cells = split_items(submission["cell_order"])
    codes, _, size = item_codes(cells, cells[:0])
    repeated = pd.Series(rows * size + codes).duplicated().to_numpy()
    if repeated.any():
        at = int(np.argmax(repeated))
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT, f"The cell_order of row {rows[at] + 1} names the cell {cells[at][:40]!r} more than once."
        )


def grade(submission: pd.DataFrame, answers: pd.DataFrame) -> float:
    """Tau pooled over all notebooks."""
    try:
        return pooled_kendall_tau(answers["cell_order"], submission["cell_order"])
    except NotAPermutationError as error:
        notebook = answers["id"].iloc[error.row]
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"The cell_order of notebook {notebook} does not hold exactly the cells of that notebook.",
        ) from None
