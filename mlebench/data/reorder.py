"""Writing a table in another order than it comes in, when it is too large to be held."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
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

    The bytes are those that `write_csv` gives for the whole table in that order. Rows wait as lines in temporary
    files beside `path`, one for each `band` places, so that one part and one band are all that is in memory; that
    takes as much disk as the table once more. No cell may hold a line break.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".reorder-") as scratch:
        files = [Path(scratch) / str(number) for number in range(-(-rows // band))]
        header, waiting = _spread(parts, files, band)
        with path.open("xb") as out:
            out.write(header + b"\n")
            for number, (file, places) in enumerate(zip(files, waiting, strict=True)):
                found = np.concatenate([np.empty(0, np.int64), *places])
                order = np.argsort(found)
                lines = file.read_bytes().split(b"\n")[:-1]
                wanted = np.arange(number * band, min(rows, (number + 1) * band))
                if len(lines) != len(wanted) or not np.array_equal(found[order], wanted):
                    raise DataError(f"{path.name} should get {rows:,} rows, but others came; fetch the raw data again.")
                out.writelines(lines[i] + b"\n" for i in order.tolist())
                file.unlink()


def _spread(parts: Iterable[Part], files: list[Path], band: int) -> tuple[bytes, list[list[np.ndarray]]]:
    """Append every row's line to its band's file; the header, and for each file the places of its lines."""
    header, waiting = b"", [list[np.ndarray]() for _ in files]
    with ExitStack() as stack:
        outs = [stack.enter_context(file.open("wb")) for file in files]
        for part, places in parts:
            order = np.argsort(places)
            header, *lines = csv_bytes(part.iloc[order]).split(b"\n")
            places = places[order]
            cuts = np.searchsorted(places, np.arange(len(files) + 1) * band).tolist()
            for number, (start, end) in enumerate(pairwise(cuts)):
                outs[number].writelines(line + b"\n" for line in lines[start:end])
                waiting[number].append(places[start:end])
    return header, waiting
