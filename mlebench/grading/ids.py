"""Which row of a submission belongs to which expected id."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mlebench.errors import Reason
from mlebench.grading.refusal import key_text, refuse


def match_ids(
    found: pd.DataFrame,
    expected: pd.DataFrame,
    *,
    one_per_id: bool,
    unique: bool,
    extra: bool = False,
    complete: bool = True,
    numeric: bool = False,
) -> np.ndarray | None:
    """Row of `found` for each expected id; none where several rows may share an id (then only the sets must agree).

    Ids are compared as text; where every expected id is a whole number, `7` and `7.0` are the same id, and with
    `numeric` so is `007`. With `extra`, rows with other ids may stand too; unless `complete`, ids may lack a row.
    """
    given, wanted = id_keys(found), id_keys(expected)
    if one_per_id and _same(given, wanted):
        return np.arange(len(given))
    if len(expected.columns) == 1:
        given, wanted = _as_whole_numbers(given, wanted, numeric=numeric)
        if one_per_id and _same(given, wanted):
            return np.arange(len(given))
    if not unique:
        given, wanted = _numbered(given), _numbered(wanted)
    name = expected.columns[0] if len(expected.columns) == 1 else "+".join(expected.columns)
    wanted_index = pd.Index(pd.unique(wanted) if not one_per_id else wanted)

    def shown(row: int) -> str:
        return key_text(wanted_index[row])

    where = wanted_index.get_indexer(pd.Index(given))
    known = where >= 0
    if not extra:
        refuse(~known, Reason.UNKNOWN_IDS, _unknown(given))
    counts = np.bincount(where[known], minlength=len(wanted_index))
    if one_per_id:
        refuse(counts > 1, Reason.DUPLICATE_IDS, lambda row: f"The id {shown(row)} occurs more than once.")
    if complete:
        refuse(counts == 0, Reason.MISSING_IDS, lambda row: f"The id {shown(row)} ({name}) has no row.")
    if not one_per_id:
        return None
    positions = np.empty(len(wanted_index), dtype=np.int64)
    positions[where[known]] = np.flatnonzero(known)
    return positions


def answer_rows(found: pd.Series, expected: pd.Series) -> np.ndarray:
    """Row of `expected` (distinct ids) for each row of `found`, which has passed `match_ids`; several may share one."""
    given, wanted = _as_whole_numbers(found.to_numpy(dtype=object), expected.to_numpy(dtype=object))
    return pd.Index(wanted).get_indexer(pd.Index(given))


def _as_whole_numbers(given: np.ndarray, wanted: np.ndarray, *, numeric: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Both sides' keys as int64 where every wanted one is a whole number, else as they are."""
    whole = _whole_numbers(wanted, as_written=not numeric)
    if whole is None:
        return given, wanted
    parsed = pd.to_numeric(pd.Series(given), errors="coerce")
    if parsed.dtype != np.int64:  # ids of 17 digits and more are exact as integers only
        numbers = parsed.to_numpy(np.float64)
        refuse(~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**63)), Reason.UNKNOWN_IDS, _unknown(given))
        parsed = pd.Series(numbers.astype(np.int64))
    return parsed.to_numpy(np.int64), whole


def match_sorted(found: pd.DataFrame, expected: pd.DataFrame) -> np.ndarray:
    """Row of `found` for each expected id when both sides are put in ascending order of their ids.

    As in the published reader, ids that are all numbers are ordered as such, and empty ones come last.
    """
    given, wanted = (np.argsort(_sortable(id_keys(ids))) for ids in (found, expected))
    positions = np.empty(len(wanted), dtype=np.int64)
    positions[wanted] = given
    return positions


def _sortable(keys: np.ndarray) -> np.ndarray:
    filled = keys != ""
    numbers = pd.to_numeric(pd.Series(keys), errors="coerce").to_numpy(np.float64)
    return np.where(filled, keys, chr(0x10FFFF)) if np.isnan(numbers[filled]).any() else numbers


def id_keys(ids: pd.DataFrame) -> np.ndarray:
    """One text key a row: the id itself, or several id columns joined by a character no CSV cell holds."""
    first, *rest = (ids[name] for name in ids.columns)
    for column in rest:
        first = first + "\x1f" + column
    return first.to_numpy(dtype=object)


def _same(given: np.ndarray, wanted: np.ndarray) -> bool:
    return len(given) == len(wanted) and bool(np.array_equal(given, wanted))


def _whole_numbers(keys: np.ndarray, *, as_written: bool = True) -> np.ndarray | None:
    """Keys as int64; none where some are no whole numbers or, with `as_written`, are spelled in another way."""
    try:
        if len(keys) and str(int(keys[0])) != keys[0] and as_written:  # ends here for most texts, before the millions
            return None
        numbers = keys.astype(np.int64)
    except (ValueError, OverflowError):
        return None
    return numbers if not as_written or _same(numbers.astype(str).astype(object), keys) else None


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Keys that may repeat, made unique by counting their occurrences."""
    series = pd.Series(keys)
    return (series.astype(str) + "\x1f" + series.groupby(series).cumcount().astype(str)).to_numpy(dtype=object)


def _unknown(keys: np.ndarray) -> Callable[[int], str]:
    return lambda row: f"Row {row + 1} has the id {key_text(keys[row])}, which the test set does not have."
