"""Pairs of things that may match: all of a prediction's candidates, a bounded number of pairs at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_PAIRS_AT_ONCE = 2_000_000
"""Pairs that are held in memory together."""


def pairs_in_ranges(first: np.ndarray, last: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All (i, j) with first[i] <= j < last[i], ordered by i and then j, in several parts; an i is never parted."""
    counts = last - first
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = ends[start] - counts[start]
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
        own = counts[start:stop]
        i = np.repeat(np.arange(start, stop), own)
        j = np.arange(len(i)) - np.repeat(np.cumsum(own) - own, own) + first[i]
        yield i, j
        start = stop


def pairs_of_equals(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All (i, j) with one[i] == other[j], ordered by i and then j, in several parts; an i is never parted."""
    order = np.argsort(other, kind="stable")
    ordered = other[order]
    first, last = (np.searchsorted(ordered, one, side=side) for side in ("left", "right"))
    for i, j in pairs_in_ranges(first, last):
        yield i, order[j]
