"""A leaderboard's curve as a few lines of text, for terminals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from mlebench.grading.leaderboard import Leaderboard
from mlebench.grading.report import Thresholds
from mlebench.reporting.axes import RankAxis, score_axis
from mlebench.reporting.overtime import Step

_COLUMNS, _ROWS = 56, 12


def sketch(board: Leaderboard, score: float | None = None) -> list[str]:
    """Lines of text: score at rank, better up, with the thresholds at the right; empty without a rank table."""
    if not board.ranks or not board.teams:
        return []
    thresholds = Thresholds(gold=board.gold, silver=board.silver, bronze=board.bronze, median=board.median)
    axis = score_axis(
        thresholds,
        board.scores,
        [] if score is None else [score],
        higher_is_better=board.higher_is_better,
        height=_ROWS - 1,
    )
    ranks = RankAxis(board.teams, _COLUMNS - 1)
    cells = [[" "] * _COLUMNS for _ in range(_ROWS)]
    names: dict[int, list[str]] = {}
    for name, value in thresholds:
        names.setdefault(round(axis.clipped(value)), []).append(name)
    for row in names:
        cells[row] = ["┄"] * _COLUMNS
    for column in range(_COLUMNS):
        value = _score_at(board, ranks.rank(column))
        if axis.shows(value):
            cells[round(axis.clipped(value))][column] = "•"
    standing = board.standing(score) if score is not None else None
    if score is not None and standing is not None:
        cells[round(axis.clipped(score))][round(ranks.x(standing.rank))] = "◆"
    lines = [f"  │{''.join(row)}│ {', '.join(names.get(index, []))}".rstrip() for index, row in enumerate(cells)]
    last = f"{board.teams:,}"
    return [*lines, f"  └{'─' * _COLUMNS}┘", f"   1{'rank'.center(_COLUMNS - 1 - len(last))}{last}"]


_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(
    steps: Sequence[Step], thresholds: Thresholds, seconds: float, *, higher_is_better: bool, width: int = 32
) -> str:
    """An attempt's score from its start to `seconds`, one letter for each part: higher is better, · is no score.

    Blank where it had ended. The lowest level is near the median or below, the highest gold, the others evenly between.
    """
    sign = 1.0 if higher_is_better else -1.0
    low, high = sign * thresholds.median, sign * thresholds.gold
    letters = []
    for part in range(1, width + 1):
        at = part / width * seconds
        if steps and steps[-1].final and at - seconds / width >= steps[-1].at_seconds:
            letters.append(" ")
            continue
        now = next((step for step in reversed(steps) if step.at_seconds <= at), None)
        if now is None or now.score is None:
            letters.append("·")
            continue
        share = (sign * now.score - low) / (high - low) if high != low else 1.0
        letters.append(_LEVELS[7 if share >= 1 else max(0, int(share * 7))])
    return "".join(letters)


def _score_at(board: Leaderboard, rank: float) -> float:
    """The archived score at a rank, on a line between archived ranks."""
    i = min(bisect_left(board.ranks, rank), len(board.ranks) - 1)
    if i == 0 or board.ranks[i] <= rank:
        return board.scores[i]
    share = (rank - board.ranks[i - 1]) / (board.ranks[i] - board.ranks[i - 1])
    return board.scores[i - 1] + share * (board.scores[i] - board.scores[i - 1])
