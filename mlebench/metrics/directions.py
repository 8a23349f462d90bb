"""Metrics for directions in space and places on Earth."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from mlebench.metrics import UndefinedMetricError

EARTH_RADIUS = 6_371_000.0
"""Metres."""
_BLOCK = 1 << 16
"""Rows at a time: intermediate arrays stay in the processor's cache."""


def mean_angular_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Mean angle between true and predicted directions, in radians.

    A direction is (azimuth a, zenith z) in radians, any finite values; its unit vector is
    (cos a sin z, sin a sin z, cos z). The angle of a row is arccos of the scalar product of both unit vectors,
    clipped to [-1, 1]. Shapes (n, 2); range [0, pi].
    """
    truth, guess = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if truth.size == 0:
        raise UndefinedMetricError("angular error of no rows")

    def angles(start: int) -> float:
        (a1, z1), (a2, z2) = truth[start : start + _BLOCK].T, guess[start : start + _BLOCK].T
        flat = np.cos(a1) * np.cos(a2) + np.sin(a1) * np.sin(a2)
        product = np.sin(z1) * np.sin(z2) * flat + np.cos(z1) * np.cos(z2)
        return float(np.arccos(np.clip(product, -1.0, 1.0)).sum())

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy works on several blocks at once
        return sum(pool.map(angles, range(0, len(truth), _BLOCK))) / len(truth)


def haversine(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Great-circle distance of each row in metres, on a sphere of radius 6,371,000 m.

    d = 2 R arcsin(sqrt(sin^2(dlat / 2) + cos(lat1) cos(lat2) sin^2(dlon / 2))). Shapes (n, 2), latitude and longitude
    in degrees; result (n,).
    """
    lat1, lon1 = np.radians(np.asarray(y_true, dtype=np.float64)).T
    lat2, lon2 = np.radians(np.asarray(y_pred, dtype=np.float64)).T
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(half))
