"""Putting a table into another order than it comes in, when it is too large to be held."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.tables import csv_bytes
from mlebench.errors import DataError

BAND = 1_000_000
"""Rows that are put in order at a time."""

Part = tuple[pd.DataFrame, np.ndarray]
"""Some rows of a table, and the places in the whole table, from 0, where they go."""


def write_csv_at(parts: Iterable[Part], path: Path, rows: int, *, band: int = BAND) -> None:
    """Write a table of `rows` rows, which comes in parts, as CSV; each row at its place.

    The bytes are those that `write_csv` gives for the whole table in that order.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        for number, frame in enumerate(in_places(parts, rows, path.parent, band=band)):
            out.write(csv_bytes(frame, header=number == 0))


def in_places(parts: Iterable[Part], rows: int, scratch: Path, *, band: int = BAND) -> Iterator[pd.DataFrame]:
    """Yield the table of `rows` rows with each row at its place, `band` rows at a time.

    Rows wait in temporary files below `scratch`, one for each band, so that one part and one band are all that is in
    memory; that takes as much disk as the table once more. A place without a row, or with two, is a DataError.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".reorder-") as folder:
        files = [Path(folder) / str(number) for number in range(-(-rows // band))]
        for frame, places in parts:
            order = np.argsort(places)
            frame, places = frame.iloc[order], places[order]
            if len(places) and not 0 <= places[0] <= places[-1] < rows:
                raise _wrong_rows(rows)
            cuts = np.searchsorted(places, np.arange(len(files) + 1) * band).tolist()
            for file, (start, end) in zip(files, pairwise(cuts), strict=True):
                if start < end:
                    with file.open("ab") as out:
                        pickle.dump((frame.iloc[start:end], places[start:end]), out, pickle.HIGHEST_PROTOCOL)
        for number, file in enumerate(files):
            waiting = list(_load(file))
            found = np.concatenate([np.empty(0, np.int64), *(places for _, places in waiting)])
            order = np.argsort(found)
            if not np.array_equal(found[order], np.arange(number * band, min(rows, (number + 1) * band))):
                raise _wrong_rows(rows)
            file.unlink()
            yield pd.concat([frame for frame, _ in waiting]).iloc[order]


def _load(file: Path) -> Iterator[Part]:
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
