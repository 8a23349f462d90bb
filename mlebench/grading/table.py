"""Reading tables by the competition's declared columns: ids and texts keep their text, numbers are exact.

The same reader serves submissions and answers, so that equal text always becomes equal values.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from mlebench.competition import Columns
from mlebench.errors import InvalidSubmissionError, Reason
from mlebench.formats.words import NA_WORDS
from mlebench.grading.submission import SubmissionFile

_BOOLEANS = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}


def read_plain_columns(file: SubmissionFile, columns: dict[str, Columns]) -> pd.DataFrame | None:
    """The prediction columns of a file that `keys.read_keys` found plain, so that nothing about its cells' number needs
    checking; none where they cannot be read by their types, which `read_submission_table` then says.
    """
    na_values = {name: _na_words(spec) for name, spec in columns.items()}
    types = _reading_types([], columns)
    try:
        frame = pd.read_csv(
            file.open(),
            dtype=types,
            usecols=list(columns),
            keep_default_na=False,
            na_values=na_values,
            na_filter=any(na_values.values()),
            encoding="utf-8",
        )
    except (ValueError, OverflowError):
        return None
    return _typed(frame[list(columns)], columns)


def read_submission_table(file: SubmissionFile, ids: Sequence[str], columns: dict[str, Columns]) -> pd.DataFrame:
    """The id columns as text and the prediction columns by their type; other columns are not read.

    Raises InvalidSubmissionError for anything that is not such a table. Missing cells are NaN (numbers, texts with
    na-words), or the empty text.
    """
    if file.format == "parquet":
        return _from_parquet(file, ids, columns)
    frame = _read(file.open, ids, columns)
    if frame.empty:
        raise InvalidSubmissionError(Reason.EMPTY, "The submission has a header but no rows.")
    return frame


def header_names(file: SubmissionFile) -> list[str]:
    """Column names of a submission, in order."""
    if file.format == "parquet":
        return [str(name) for name in _parquet(file).columns]
    try:
        rows = list(csv.reader([file.header], strict=True))
    except csv.Error:
        rows = []
    if not rows or not any(rows[0]):
        raise InvalidSubmissionError(
            Reason.UNREADABLE, "The first line of the submission is no header of column names."
        )
    return rows[0]


def read_trusted_table(
    source: IO[bytes], ids: Sequence[str], columns: dict[str, Columns], inferred: Sequence[str], text: Sequence[str]
) -> pd.DataFrame:
    """Answers: the declared columns typed as in a submission, `text` as text, `inferred` with pandas' types."""
    typed = _reading_types(ids, columns)
    keep_text = dict.fromkeys(text, str)
    wanted = list(dict.fromkeys([*ids, *columns, *inferred]))
    na_values = {name: _na_words(spec) for name, spec in columns.items()}
    na_values |= {name: [] for name in (*ids, *text)}
    na_values |= {name: list(NA_WORDS) for name in inferred if name not in na_values}
    frame = pd.read_csv(
        source, usecols=wanted, dtype={**typed, **keep_text}, keep_default_na=False, na_values=na_values
    )
    return _typed(frame, columns)[wanted]


def _read(opener: Callable[[], IO[bytes]], ids: Sequence[str], columns: dict[str, Columns]) -> pd.DataFrame:
    na_values: dict[str, list[str]] = {name: [] for name in ids}
    na_values |= {name: _na_words(spec) for name, spec in columns.items()}
    # Every column is read, wanted or not: only then does the parser refuse rows with too many cells.
    options: dict[str, Any] = {"keep_default_na": False, "na_values": na_values, "encoding": "utf-8"}
    types = _reading_types(ids, columns)
    try:
        # Below a header, surplus cells of the first row would silently become row names; without one they are an error.
        with opener() as file:
            pd.read_csv(file, header=None, nrows=2, dtype=str, keep_default_na=False, encoding="utf-8")
        try:
            with opener() as file:
                frame = pd.read_csv(file, dtype=types, **options)
        except ValueError as error:
            if isinstance(error, ParserError):
                raise
            # Some number column holds text: read it as text, so that the first bad cell can be named.
            numbers = {name for name, kind in types.items() if kind == "float64"}
            with opener() as file:
                frame = pd.read_csv(file, dtype={**types, **dict.fromkeys(numbers, str)}, **options)
            for name in numbers:
                frame[name] = to_numbers(frame[name], name)
    except (ParserError, EmptyDataError, UnicodeDecodeError, csv.Error) as error:
        sentence = str(error).replace("Error tokenizing data. C error: ", "").strip().rstrip(".")
        raise InvalidSubmissionError(Reason.UNREADABLE, f"The submission is no readable CSV: {sentence}.") from None
    except OverflowError:
        raise InvalidSubmissionError(Reason.UNREADABLE, "The submission holds a number that is too large.") from None
    return _typed(frame[list(na_values)], columns)


def _na_words(spec: Columns) -> list[str]:
    return list(NA_WORDS) if spec.type != "text" or spec.missing == "na-words" else []


def _reading_types(ids: Sequence[str], columns: dict[str, Columns]) -> dict[str, object]:
    types: dict[str, object] = dict.fromkeys(ids, str)
    for name, spec in columns.items():
        types[name] = "float64" if spec.type in ("number", "integer") else str
    return types


def _typed(frame: pd.DataFrame, columns: dict[str, Columns]) -> pd.DataFrame:
    for name, spec in columns.items():
        if spec.type == "boolean":
            frame[name] = to_numbers(frame[name], name)
    return frame


def to_numbers(cells: pd.Series, name: str) -> pd.Series:
    """Cells as float64; InvalidSubmissionError naming the first that is no number.

    True and False are 1 and 0 where every filled cell is one of them; among numbers the published reader takes them,
    and with them the whole column, for texts, on which graders fail.
    """
    if cells.dtype == np.float64:
        return cells
    numbers = cells.map(_BOOLEANS).astype(np.float64)
    if (numbers.isna() & cells.notna()).any():
        numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    bad = numbers.isna() & cells.notna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InvalidSubmissionError(
            Reason.NOT_A_NUMBER, f"Column {name} must hold numbers, but row {row + 1} holds {_shown(cells.iloc[row])}."
        )
    return numbers


def _shown(cell: object) -> str:
    text = str(cell)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _parquet(file: SubmissionFile) -> pd.DataFrame:
    try:
        with warnings.catch_warnings(), file.open() as stream:
            warnings.simplefilter("ignore")  # fastparquet still looks at pandas options that are going away
            from fastparquet import ParquetFile

            return ParquetFile(stream).to_pandas(index=False)
    except Exception as error:  # whatever a damaged parquet file makes the reader raise, the file is unreadable
        raise InvalidSubmissionError(
            Reason.UNREADABLE, f"The submission is no readable parquet file ({type(error).__name__})."
        ) from None


def _from_parquet(file: SubmissionFile, ids: Sequence[str], columns: dict[str, Columns]) -> pd.DataFrame:
    frame = _parquet(file)[[*ids, *columns]].copy()
    for name in ids:
        frame[name] = frame[name].astype(str)
    for name, spec in columns.items():
        if spec.type == "text":
            frame[name] = frame[name].where(frame[name].isna(), frame[name].astype(str))
        elif pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name]):
            frame[name] = frame[name].astype(np.float64)
        else:
            frame[name] = to_numbers(frame[name].astype(str), name)
    return frame
