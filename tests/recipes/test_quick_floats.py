"""Values that pandas 2.2.3 read by default, where they differ from the exact ones, and texts that it read exactly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.recipes.quick_floats import quick_floats

READ_BY_PANDAS_2 = [
    ("-1574702.031917997304962", -1574702.0319179972),
    ("558238113021935.4198878367200394", 558238113021935.4),
    ("-3979315673.6982340", -3979315673.6982336),
    ("121.52807123852625", 121.52807123852624),
    ("572436092028934.69422555556", 572436092028934.6),
    ("122.38255457261079", 122.3825545726108),
    ("121.52807123852625", 121.52807123852624),
    ("122.38255457261079", 122.3825545726108),
    ("9.856943657284603", 9.856943657284605),
    ("119.60816561740569", 119.60816561740567),
]


@pytest.mark.parametrize(("text", "wanted"), READ_BY_PANDAS_2)
def test_as_pandas_2(text: str, wanted: float) -> None:
    assert quick_floats([text]).tolist() == [wanted]
    assert float(text) != wanted


@given(st.floats(-180, 180))
def test_at_most_one_place_off(value: float) -> None:
    read = quick_floats([f"{value:.17f}"])[0]
    assert read == pytest.approx(value, rel=1e-15, abs=1e-16)


@given(st.integers(-(10**9), 10**9))
def test_few_digits_are_exact(micro: int) -> None:
    text = f"{micro // 10**6}.{abs(micro) % 10**6:06d}"
    assert quick_floats([text])[0] == float(text)


def test_other_texts_are_read_exactly() -> None:
    read = quick_floats(["1e-3", "nan", "-inf", "5", "7."]).tolist()
    assert read[0] == 0.001
    assert math.isnan(read[1])
    assert read[2:] == [-math.inf, 5.0, 7.0]
