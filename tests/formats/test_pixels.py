"""A pixel table has the very bytes of pandas' to_csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlebench.formats.pixels import pixel_rows, write_pixel_table


def as_pandas_writes(images: list[tuple[str, np.ndarray]]) -> bytes:
    """The plain way: a Python loop over all pixels, then to_csv."""
    ids, values = [], []
    for name, image in images:
        for row in range(image.shape[0]):
            for column in range(image.shape[1]):
                ids.append(f"{name}_{row + 1}_{column + 1}")
                values.append(image[row, column])
    return pd.DataFrame({"id": ids, "value": values}).to_csv(index=False).encode()


GREYS = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))
NAMES = st.text("abcXYZ0189-.é", min_size=1, max_size=6)


@given(st.lists(st.tuples(NAMES, GREYS), min_size=1, max_size=3))
def test_greys_are_written_as_pandas_writes_them(tmp_path_factory: pytest.TempPathFactory, greys) -> None:
    images = [(name, grey / 255.0) for name, grey in greys]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    assert write_pixel_table(path, images) == sum(grey.size for _, grey in greys)
    assert path.read_bytes() == as_pandas_writes(images)


@pytest.mark.parametrize("shape", [(1, 1), (9, 10), (10, 9), (101, 3), (3, 1001)])
def test_row_and_column_numbers_of_any_width(tmp_path: Path, shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 2, shape)
    write_pixel_table(tmp_path / "table.csv", [("7", values)])
    assert (tmp_path / "table.csv").read_bytes() == as_pandas_writes([("7", values)])


def test_whole_numbers_stay_whole_and_floats_stay_floats() -> None:
    assert pixel_rows("a", np.ones((1, 2), dtype=np.int64)) == b"a_1_1,1\na_1_2,1\n"
    assert pixel_rows("a", np.array([[1.0], [0.0]])) == b"a_1_1,1.0\na_2_1,0.0\n"


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a\nb", "a\0"])
def test_names_that_would_need_quotes_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="pixel table"):
        pixel_rows(name, np.zeros((1, 1)))
