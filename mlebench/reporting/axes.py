"""Which part of a leaderboard a plot shows, and where on the drawing a value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlebench.grading.report import Thresholds

_ABOVE_GOLD = 2.0
"""How far past gold the axis may reach, in units of the distance between gold and median."""
_BELOW_MEDIAN = 4.0
"""How far behind the median it may reach, same units; an attempt may stretch it this far, never further."""


@dataclass(frozen=True)
class ScoreAxis:
    """A vertical score axis: better is always up. Values outside are clipped to its ends."""

    best: float
    worst: float
    height: float
    hides_top: bool = False
    """Whether archived scores better than `best` are off the axis."""
    hides_tail: bool = False
    """Whether archived scores worse than `worst` are off the axis."""

    def y(self, score: float) -> float:
        """Distance from the top; outside [0, height] for scores off the axis."""
        return (self.best - score) / (self.best - self.worst) * self.height

    def clipped(self, score: float) -> float:
        """The same, kept on the axis."""
        return min(self.height, max(0.0, self.y(score)))

    def shows(self, score: float) -> bool:
        """Whether the score lies on the axis."""
        return -0.5 <= self.y(score) <= self.height + 0.5

    def ticks(self, about: int = 5) -> list[float]:
        """Round values on the axis."""
        low, high = sorted((self.best, self.worst))
        rough = (high - low) / about
        magnitude = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
        first = math.ceil(low / step - 1e-9)
        return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def score_axis(
    thresholds: Thresholds,
    scores: Sequence[float],
    attempts: Sequence[float],
    *,
    higher_is_better: bool,
    height: float,
) -> ScoreAxis:
    """Choose the range: medals, median and attempts legible, however wild a leaderboard's ends are.

    With s = |gold - median| the axis reaches from at most 2 s past gold to at most 4 s behind the median; within
    that, from the best archived score to the one that nine tenths of the teams reach. Attempts may stretch it up to
    the same limits.
    """
    sign = 1.0 if higher_is_better else -1.0  # in "goodness" larger is better
    goodness = sorted((sign * score for score in scores), reverse=True)
    tried = [sign * score for score in attempts]
    gold, median = sign * thresholds.gold, sign * thresholds.median
    marks = [gold, sign * thresholds.silver, sign * thresholds.bronze, median]
    unit = max(marks) - min(marks) or max(0.05 * abs(gold), 1e-4)
    ceiling, floor = max(marks) + _ABOVE_GOLD * unit, min(marks) - _BELOW_MEDIAN * unit
    most = goodness[: math.ceil(0.9 * len(goodness))]
    inside = [value for value in (*most, *tried) if floor <= value <= ceiling]
    beyond = [min(ceiling, max(floor, value)) for value in (*goodness[:1], *most[-1:], *tried)]
    top, bottom = max(marks + inside + beyond), min(marks + inside + beyond)
    if goodness and top - goodness[-1] <= 1.25 * (top - bottom):
        bottom = min(bottom, goodness[-1])
    pad = 0.04 * (top - bottom) or unit
    return ScoreAxis(
        best=sign * (top + pad),
        worst=sign * (bottom - pad),
        height=height,
        hides_top=bool(goodness) and goodness[0] > top + pad,
        hides_tail=bool(goodness) and goodness[-1] < bottom - pad,
    )


@dataclass(frozen=True)
class RankAxis:
    """A horizontal axis of ranks whose left end, where the medals are, is stretched: x grows with sqrt(rank)."""

    teams: int
    width: float

    def x(self, rank: float) -> float:
        """Distance from the left; ranks behind the last team stay at the right end."""
        last = max(math.sqrt(self.teams) - 1.0, 1e-9)
        return min(1.0, (math.sqrt(max(1.0, rank)) - 1.0) / last) * self.width

    def rank(self, x: float) -> float:
        """The rank at this distance from the left."""
        return (1.0 + x / self.width * (math.sqrt(self.teams) - 1.0)) ** 2

    def ticks(self) -> list[int]:
        """First, the last rank of the top 1, 10, 25 and 50 %, last: those that leave room for each other."""
        wanted = [1, self.teams, *(round(self.teams * share) for share in (0.1, 0.5, 0.25, 0.01))]
        chosen: list[int] = []
        for rank in wanted:
            if rank >= 1 and all(abs(self.x(rank) - self.x(other)) >= 34 for other in chosen):
                chosen.append(rank)
        return sorted(chosen)


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move label positions apart until neighbours are `gap` apart, in the same order and within [low, high].

    Positions must ascend. With too many labels for the room they are spaced evenly.
    """
    count = len(positions)
    if not count:
        return []
    gap = min(gap, (high - low) / max(1, count - 1))
    placed: list[float] = []
    for index, position in enumerate(positions):
        floor = placed[-1] + gap if placed else low
        placed.append(max(floor, min(position, high - gap * (count - 1 - index))))
    return placed
