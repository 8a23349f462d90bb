"""How figures are written."""

from __future__ import annotations

import pytest
from made_runs import make_attempt, make_grade, make_run

from mlebench import text
from mlebench.grading.leaderboard import Leaderboard
from mlebench.registry import Registry
from mlebench.reporting.html import render_page
from mlebench.reporting.summary import summarise

# 41 teams, each of them archived but those at the ranks 5 to 9; the last rank is archived in one of them only.
SPARSE = (1, 2, 3, 4, 10, 41)
SCORES = (0.9, 0.8, 0.7, 0.6, 0.4, 0.1)
WHOLE = Leaderboard(True, 41, 0.9, 0.8, 0.7, 0.5, "made up", "2026-01-01", "", SPARSE, SCORES)
CUT = Leaderboard(True, 1041, 0.9, 0.8, 0.7, 0.5, "made up", "2026-01-01", "", SPARSE, SCORES)


@pytest.mark.parametrize(
    ("board", "score", "phrase", "short", "beside"),
    [
        (WHOLE, 0.7, "rank 3 of 41, percentile 95.1", "3", None),
        (WHOLE, 0.5, "about rank 7 of 41 (between 5 and 10), percentile 85.4", "~7", "5–10"),
        (WHOLE, 0.0, "behind all 41 teams, percentile 0.0", "behind all 41", None),
        (CUT, 0.0, "behind all 1,041 teams (rank 42 at best), percentile 0.0", "behind all 1,041", "42 at best"),
    ],
)
def test_a_standing_is_one_phrase(
    board: Leaderboard, score: float, phrase: str, short: str, beside: str | None
) -> None:
    found = board.standing(score)
    assert found is not None
    bounds = (found.rank, found.rank_low, found.rank_high, board.teams)
    assert text.standing_text(*bounds, found.percentile) == phrase
    assert text.standing_text(*bounds) == phrase.partition(", percentile")[0]
    assert text.rank(*bounds) == short
    assert text.rank_bounds(*bounds) == beside


def test_a_standing_that_nobody_knows_is_not_invented() -> None:
    assert text.standing_text(None, None, None, 41, None) == "rank and percentile unknown: no rank table is archived"


def test_a_page_says_of_the_worst_score_that_it_is_behind_all(registry: Registry) -> None:
    page = render_page([summarise(make_run([make_attempt("apple", 0, make_grade("apple", -1.0))]), registry)])
    assert "seed 0: -1, behind all 100 teams" in page  # the tooltip
    assert page.count("<td>behind all 100</td>") == 2  # among the competitions and on the card
    assert "101<" not in page and "101 " not in page
