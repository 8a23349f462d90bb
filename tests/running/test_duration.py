from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import UsageError
from mlebench.running.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("24h", 86400), ("1h30m", 5400), ("2d", 172800), (" 1H 5s", 3605), ("0.5h", 1800)],
)
def test_lengths_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "1h1h", "30m1h", "-5s", "1e3s", "inf s", "5 minutes", "٣s" + "x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write it like"):
        parse_duration(text)


@given(st.integers(0, 59), st.integers(0, 23))
def test_what_is_formatted_is_read_back(minutes: int, hours: int) -> None:
    seconds = hours * 3600 + minutes * 60
    assert parse_duration(format_duration(seconds)) == seconds
