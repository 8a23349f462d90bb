"""Whether the cells of a prediction column are what its declared rule allows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlebench.competition import Columns
from mlebench.errors import Reason
from mlebench.formats.words import as_numbers
from mlebench.grading.refusal import key_text, refuse


def check_column(cells: pd.Series, name: str, spec: Columns) -> None:
    """Check one prediction column against its declared rule."""
    values = cells.to_numpy()
    missing = pd.isna(values) if spec.type != "text" or spec.missing == "na-words" else None
    if missing is not None and spec.missing == "invalid":
        refuse(missing, Reason.MISSING_VALUES, lambda row: f"Column {name} is empty in row {row + 1}; fill every cell.")
    if spec.type == "text":
        if spec.missing == "invalid":
            refuse(values == "", Reason.MISSING_VALUES, lambda row: f"Column {name} is empty in row {row + 1}.")
        if spec.all_numbers == "invalid" and (numbers_read := as_numbers(cells)) is not None:
            refuse(
                numbers_read.notna().to_numpy(),
                Reason.BAD_FORMAT,
                lambda row: f"Column {name} must hold texts, but each of its cells is a number or empty.",
            )
        if spec.labels:
            wrong = ~cells.isin(spec.labels).to_numpy()
            refuse(
                wrong,
                Reason.WRONG_CLASS,
                lambda row: f"Column {name} holds {key_text(values[row])}, which is no class.",
            )
        return
    numbers = values.astype(np.float64)
    if spec.infinite == "invalid":
        refuse(np.isinf(numbers), Reason.NOT_FINITE, lambda row: f"Column {name} is infinite in row {row + 1}.")
    if spec.type in ("integer", "boolean"):
        refuse(
            ~np.isnan(numbers) & (numbers != np.floor(numbers)),
            Reason.WRONG_CLASS,
            lambda row: f"Column {name} must hold whole numbers, but row {row + 1} holds {numbers[row]:g}.",
        )
        refuse(
            np.abs(numbers) >= 2.0**63,
            Reason.OUT_OF_RANGE,
            lambda row: f"Column {name} holds {numbers[row]:g} in row {row + 1}, more than a whole number can be.",
        )
    low, high = spec.min, spec.max
    outside = np.zeros(len(numbers), dtype=bool)
    if low is not None:
        outside |= numbers < low
    if spec.above is not None:
        outside |= numbers <= spec.above
    if high is not None:
        outside |= numbers > high
    refuse(outside, Reason.OUT_OF_RANGE, lambda row: f"{_range(name, spec)}, but row {row + 1} holds {numbers[row]:g}.")


def _range(name: str, spec: Columns) -> str:
    bounds = []
    if spec.min is not None:
        bounds.append(f"at least {spec.min:g}")
    if spec.above is not None:
        bounds.append(f"greater than {spec.above:g}")
    if spec.max is not None:
        bounds.append(f"at most {spec.max:g}")
    return f"Column {name} must be {' and '.join(bounds)}"
