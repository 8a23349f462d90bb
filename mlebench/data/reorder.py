"""Putting a table into another order than it comes in, when it is too large to be held."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mlebench.data.tables import csv_bytes
from mlebench.errors import DataError

BAND = 1_000_000
"""Rows that are put in order at a time."""

_Rows = TypeVar("_Rows", pd.DataFrame, np.ndarray)
Part = tuple[pd.DataFrame, np.ndarray]
"""Some rows of a table, and the places in the whole table, from 0, where they go."""


def write_csv_at(parts: Iterable[Part], path: Path, rows: int, *, band: int = BAND) -> None:
    """Write a table of `rows` rows, which comes in parts, as CSV; each row at its place.

    The bytes are those that `write_csv` gives for the whole table in that order.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    header = b""

    def lines() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal header
        for frame, places in parts:
            header, *own = csv_rows(csv_bytes(frame))
            yield np.array(own, dtype=object), places

    with path.open("xb") as out:
        for number, ordered in enumerate(_in_places(lines(), rows, path.parent, band)):
            if number == 0:
                out.write(header)
            out.write(b"".join(ordered.tolist()))


def csv_rows(text: bytes) -> list[bytes]:
    """The rows of a CSV that `csv_bytes` made, each with its line feed; cells may hold line feeds of their own."""
    lines = text.splitlines(keepends=True) if b"\r" not in text else _split(text)
    if text.count(b'"') == 0:
        return lines
    rows, open_row = [], b""
    for line in lines:
        open_row += line
        if open_row.count(b'"') % 2 == 0:  # quotes within cells are doubled, so a whole row has an even number
            rows.append(open_row)
            open_row = b""
    return rows


def _split(text: bytes) -> list[bytes]:
    """Lines that end in a line feed, whatever carriage returns they hold."""
    return [line + b"\n" for line in text.split(b"\n")[:-1]]


def in_places(parts: Iterable[Part], rows: int, scratch: Path, *, band: int = BAND) -> Iterator[pd.DataFrame]:
    """Yield the table of `rows` rows with each row at its place, `band` rows at a time.

    Rows wait in temporary files below `scratch`, one for each band, so that one part and one band are all that is in
    memory; that takes as much disk as the table once more. A place without a row, or with two, is a DataError.
    """
    return _in_places(parts, rows, scratch, band)


def _in_places(parts: Iterable[tuple[_Rows, np.ndarray]], rows: int, scratch: Path, band: int) -> Iterator[_Rows]:
    """The same of tables or of arrays."""
    kind = np.int32 if rows < 2**31 else np.int64
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".reorder-") as folder:
        files = [Path(folder) / str(number) for number in range(-(-rows // band))]
        for part, places in parts:
            order = np.argsort(places)
            ordered, places = _take(part, order), places[order]
            if len(places) and not 0 <= places[0] <= places[-1] < rows:
                raise _wrong_rows(rows)
            cuts = np.searchsorted(places, np.arange(len(files) + 1) * band).tolist()
            for file, (start, end) in zip(files, pairwise(cuts), strict=True):
                if start < end:
                    with file.open("ab") as out:
                        kept = (_take(ordered, slice(start, end)), places[start:end].astype(kind))
                        pickle.dump(kept, out, pickle.HIGHEST_PROTOCOL)
        for number, file in enumerate(files):
            waiting: list[tuple[Any, np.ndarray]] = list(_load(file))
            found = np.concatenate([np.empty(0, np.int64), *(places for _, places in waiting)])
            order = np.argsort(found)
            if not np.array_equal(found[order], np.arange(number * band, min(rows, (number + 1) * band))):
                raise _wrong_rows(rows)
            file.unlink()
            yield _take(_join([part for part, _ in waiting]), order)


def _take(rows: _Rows, which: np.ndarray | slice) -> _Rows:
    return rows.iloc[which] if isinstance(rows, pd.DataFrame) else rows[which]


def _join(parts: list[_Rows]) -> _Rows:
    return pd.concat(parts) if isinstance(parts[0], pd.DataFrame) else np.concatenate(parts)


def _load(file: Path) -> Iterator[tuple[Any, np.ndarray]]:
    """What was appended to the file, piece by piece; it is one of ours, so unpickling it is safe."""
    if not file.exists():
        return
    with file.open("rb") as source:
        while True:
            try:
                yield pickle.load(source)
            except EOFError:
                return


def _wrong_rows(rows: int) -> DataError:
    return DataError(f"A table should have {rows:,} rows, but others came; fetch the raw data again.")
