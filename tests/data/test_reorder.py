"""Rows put in order by way of files, against the same in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.data.reorder import csv_rows, in_places, write_csv_at
from mlebench.data.tables import csv_bytes
from mlebench.errors import DataError

SIZES = st.integers(1, 70)


def parts_of(table: pd.DataFrame, places: np.ndarray, size: int):
    return ((table.iloc[at : at + size], places[at : at + size]) for at in range(0, len(table), size))


@given(SIZES, SIZES, SIZES, st.integers(0, 3))
def test_equal_to_ordering_in_memory(tmp_path_factory, n: int, size: int, band: int, seed: int) -> None:
    scratch: Path = tmp_path_factory.mktemp("scratch")
    table = pd.DataFrame({"text": [f'row {i}, "x"\r\n' for i in range(n)], "number": np.arange(n) / 3})
    table.loc[0, "text"] = None
    places = np.random.RandomState(seed).permutation(n)
    wanted = table.iloc[np.argsort(places)]
    found = list(in_places(parts_of(table, places, size), n, scratch, band=band))
    pd.testing.assert_frame_equal(pd.concat(found), wanted)
    assert all(len(frame) <= band for frame in found)
    write_csv_at(parts_of(table, places, size), scratch / "table.csv", n, band=band)
    assert (scratch / "table.csv").read_bytes() == csv_bytes(wanted)
    assert [path.name for path in scratch.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("places", [[0, 1], [0, 1, 1], [0, 1, 3], [0, 1, 2, 9], [-1, 0, 1, 2]])
def test_places_must_be_filled_once(tmp_path: Path, places: list[int]) -> None:
    table = pd.DataFrame({"x": range(len(places))})
    with pytest.raises(DataError):
        list(in_places([(table, np.array(places))], 3, tmp_path, band=2))


@given(st.lists(st.text(alphabet='a",\r\n ', max_size=6), min_size=1, max_size=8))
def test_rows_of_a_csv_are_found_whatever_their_cells_hold(cells: list[str]) -> None:
    text = csv_bytes(pd.DataFrame({'he"ad\n': cells, "x": range(len(cells))}))
    rows = csv_rows(text)
    assert b"".join(rows) == text and len(rows) == len(cells) + 1
