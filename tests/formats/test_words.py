"""Columns of words: when the published reader takes one for numbers."""

from __future__ import annotations

import io

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mlebench.formats.words import as_numbers

cells = st.sampled_from(["", "7", "007", "-3", "1.5", "4567", "x", "1 2", "w_1", "2e3"])


@given(st.lists(cells, min_size=1, max_size=6))
def test_numbers_are_what_the_published_reader_makes_of_them(column: list[str]) -> None:
    table = pd.DataFrame({"id": range(len(column)), "cell": column})
    read = pd.read_csv(io.StringIO(table.to_csv(index=False)))["cell"]
    numbers = as_numbers(table["cell"])
    assert (numbers is None) == (read.dtype == "str")
    if numbers is not None:
        assert numbers.tolist() == read.tolist() or (numbers.isna() == read.isna()).all()
        if read.notna().all():
            assert numbers.astype(str).tolist() == read.astype(str).tolist()
