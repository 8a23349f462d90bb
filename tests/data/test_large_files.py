"""Tables and arrays that are written in another order without being held: the bytes are those of the plain way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlebench.data.arrays import array_shape, divide_rows, read_array
from mlebench.data.reorder import write_csv_at
from mlebench.errors import DataError

AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


@AGAIN
@given(rows=st.integers(1, 60), chunk=st.integers(1, 25), band=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_table_in_another_order(tmp_path: Path, rows: int, chunk: int, band: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = rng.choice(np.array(["a", 'b "c", d', "", "é"], dtype=object), rows)
    table = pd.DataFrame({"x": rng.normal(size=rows), "t, u": texts, "n": rng.integers(0, 9, rows)})
    table.loc[rng.random(rows) < 0.2, "x"] = np.nan
    order = rng.permutation(rows)
    places = np.argsort(order)
    parts = ((table.iloc[i : i + chunk], places[i : i + chunk]) for i in range(0, rows, chunk))
    path = tmp_path / f"{rows}-{chunk}-{band}-{seed}.csv"
    path.unlink(missing_ok=True)
    write_csv_at(parts, path, rows, band=band)
    assert path.read_bytes() == table.iloc[order].to_csv(index=False).encode()
    assert [other.suffix for other in tmp_path.iterdir() if other.is_dir()] == []


@pytest.mark.parametrize("places", [[0, 1], [0, 1, 1], [0, 1, 3]])
def test_rows_that_are_lacking_or_in_one_place(tmp_path: Path, places: list[int]) -> None:
    table = pd.DataFrame({"x": range(len(places))})
    with pytest.raises(DataError, match="3 rows"):
        write_csv_at([(table, np.array(places))], tmp_path / "out.csv", 3, band=2)


@pytest.mark.parametrize("dtype", ["float32", "<U2", "int64"])
@pytest.mark.parametrize("shape", [(50,), (50, 7), (50, 2, 3)])
def test_rows_of_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, shape: tuple[int, ...]) -> None:
    monkeypatch.setattr("mlebench.data.arrays.CHUNK_BYTES", 100)
    rng = np.random.default_rng(0)
    array = rng.integers(0, 39, shape).astype(dtype)
    np.save(tmp_path / "raw.npy", array)
    drawn = rng.permutation(50)
    parts = {"one.npy": drawn[:33], "two.npy": drawn[33:], "none.npy": drawn[:0], "twice.npy": np.array([7, 3, 7])}
    divide_rows(tmp_path / "raw.npy", {tmp_path / "new" / name: rows for name, rows in parts.items()})
    for name, rows in parts.items():
        np.save(tmp_path / name, array[rows])
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert array_shape(tmp_path / "raw.npy") == shape
    assert np.array_equal(read_array(tmp_path / "raw.npy"), array)


def test_an_array_that_is_cut_off_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "raw.npy", np.arange(1000))
    content = (tmp_path / "raw.npy").read_bytes()
    (tmp_path / "raw.npy").write_bytes(content[:-8])
    with pytest.raises(EOFError):
        divide_rows(tmp_path / "raw.npy", {tmp_path / "out.npy": np.arange(5)})
