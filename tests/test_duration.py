from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.duration import format_duration, parse_duration
from mlebench.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("24h", 86400),
        ("1h30m", 5400),
        ("2d", 172800),
        (" 1H 5s", 3605),
        ("0.5h", 1800),
        ("1 h 30 min", 5400),
    ],
)
def test_lengths_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "90", "h", "1h1h", "30m1h", "-5s", "1e3s", "3mi", "inf s", "5 minutes", "٣s" + "x"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write it like"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86400, "24 h"),
        (3600, "1 h"),
        (48 * 3600, "48 h"),
        (7 * 86400, "168 h"),
        (225 * 86400, "225 d"),
        (8640, "2 h 24 min"),
        (450, "7 min 30 s"),
        (59.6, "1 min"),
        (3599.7, "1 h"),
        (3605, "1 h 5 s"),
        (86400 + 59, "24 h 59 s"),
        (9.96, "10 s"),
        (0.25, "0.2 s"),
        (2, "2 s"),
        (0, "0 s"),
        (-3, "0 s"),
    ],
)
def test_lengths_are_shown_in_one_notation(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 59), st.integers(0, 23))
def test_what_is_formatted_is_read_back(minutes: int, hours: int) -> None:
    seconds = hours * 3600 + minutes * 60
    assert parse_duration(format_duration(seconds)) == seconds
