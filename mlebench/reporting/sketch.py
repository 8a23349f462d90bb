"""A leaderboard's curve as a few lines of text, for terminals."""

from __future__ import annotations

from bisect import bisect_left

from mlebench.grading.leaderboard import Leaderboard
from mlebench.grading.report import Thresholds
from mlebench.reporting.axes import RankAxis, score_axis

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


def _score_at(board: Leaderboard, rank: float) -> float:
    """The archived score at a rank, on a line between archived ranks."""
    i = min(bisect_left(board.ranks, rank), len(board.ranks) - 1)
    if i == 0 or board.ranks[i] <= rank:
        return board.scores[i]
    share = (rank - board.ranks[i - 1]) / (board.ranks[i] - board.ranks[i - 1])
    return board.scores[i - 1] + share * (board.scores[i] - board.scores[i - 1])
