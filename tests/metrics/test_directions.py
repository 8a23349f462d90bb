"""Angles and distances, by hand and against the textbook's formulas row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.metrics import UndefinedMetricError, directions
from mlebench.metrics.directions import haversine, mean_angular_error

ANGLES = st.lists(st.tuples(*[st.floats(-20, 20)] * 4), min_size=1, max_size=30)


def unit(azimuth: float, zenith: float) -> list[float]:
    return [math.cos(azimuth) * math.sin(zenith), math.sin(azimuth) * math.sin(zenith), math.cos(zenith)]


@given(ANGLES)
def test_angles_between_unit_vectors(rows: list[tuple[float, ...]]) -> None:
    table = np.array(rows)
    wanted = [math.acos(max(-1, min(1, np.dot(unit(*row[:2]), unit(*row[2:]))))) for row in rows]
    assert mean_angular_error(table[:, :2], table[:, 2:]) == pytest.approx(np.mean(wanted), abs=1e-7)


def test_known_angles() -> None:
    up, down, east, north = (0.0, 0.0), (1.0, math.pi), (0.0, math.pi / 2), (math.pi / 2, math.pi / 2)
    assert mean_angular_error([up, east, up], [down, north, up]) == pytest.approx((math.pi + math.pi / 2) / 3)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(0).uniform(0, 3, (1000, 4))
    whole = mean_angular_error(table[:, :2], table[:, 2:])
    monkeypatch.setattr(directions, "_BLOCK", 7)
    assert mean_angular_error(table[:, :2], table[:, 2:]) == pytest.approx(whole, rel=1e-12)


def test_no_rows_have_no_angle() -> None:
    with pytest.raises(UndefinedMetricError):
        mean_angular_error(np.empty((0, 2)), np.empty((0, 2)))


def test_known_distances() -> None:
    quarter = math.pi / 2 * 6_371_000
    one, two = [(0.0, 0.0), (90.0, 0.0), (10.0, 20.0)], [(0.0, 90.0), (0.0, 123.0), (10.0, 20.0)]
    assert haversine(one, two) == pytest.approx([quarter, quarter, 0.0])


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(-1e-3, 1e-3), st.floats(-1e-3, 1e-3))
def test_short_distances_are_flat(lat: float, lon: float, north: float, east: float) -> None:
    metre = math.radians(1) * 6_371_000
    wanted = math.hypot(north * metre, east * metre * math.cos(math.radians(lat + north / 2)))
    assert haversine([(lat, lon)], [(lat + north, lon + east)])[0] == pytest.approx(wanted, rel=1e-5, abs=1e-6)
