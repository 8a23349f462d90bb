"""Texts that hold several items each, as flat arrays: what metrics over lists and sets of items work on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

_END = "\0|"  # holds a character that no CSV cell has; not at its end, where numpy drops it


def split_items(texts: npt.ArrayLike, separator: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers and items of all texts, one after another; separated as by `str.split(separator)`.

    All texts are split at once: a list per row would take several times as long on millions of rows.
    """
    cells = np.asarray(texts, dtype=object).ravel().tolist()
    if not cells:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    around = separator or " "
    items = np.array(f"{around}{_END}{around}".join(cells).split(separator), dtype=object)
    ends = items == _END
    return np.cumsum(ends)[~ends], items[~ends]


def item_codes(truth: np.ndarray, guess: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """One number per distinct item, counted from the truth's first: codes of truth and of guess, and how many."""
    codes, items = pd.factorize(np.concatenate((truth, guess)))
    return codes[: len(truth)].astype(np.int64), codes[len(truth) :].astype(np.int64), max(1, len(items))


def distinct(keys: np.ndarray) -> np.ndarray:
    """Distinct whole numbers, ascending; for nearly sorted ones several times as fast as numpy's hashing `unique`."""
    ordered = np.sort(keys)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered
