"""Where a score stands: medals, the median, ranks between archived ranks, and Kaggle's medal rule."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.content import content_dir
from mlebench.errors import CompetitionError
from mlebench.grading.leaderboard import Leaderboard, Medal, load_leaderboard, medal_positions

SCORES = st.integers(-50, 50).map(lambda tenth: tenth / 10)


def board(ranks: list[int], scores: list[float], *, teams: int | None = None, higher: bool = True) -> Leaderboard:
    return Leaderboard(higher, teams or ranks[-1], scores[0], scores[0], scores[0], scores[-1], "test", "", "",
                       tuple(ranks), tuple(scores))  # fmt: skip


@st.composite
def full_tables(draw: st.DrawFn) -> tuple[Leaderboard, list[float]]:
    """A leaderboard of which only some ranks are archived, and the whole list of scores it was taken from."""
    higher = draw(st.booleans())
    scores = sorted(draw(st.lists(SCORES, min_size=1, max_size=40)), reverse=higher)
    kept = {0, len(scores) - 1} | draw(st.sets(st.integers(0, len(scores) - 1)))
    rows = sorted(kept)
    positions = medal_positions(len(scores))
    gold, silver, bronze = (scores[positions[medal] - 1] for medal in Medal)
    archived = tuple(scores[row] for row in rows)
    ranks = tuple(row + 1 for row in rows)
    median = scores[len(scores) // 2]
    return Leaderboard(higher, len(scores), gold, silver, bronze, median, "test", "", "", ranks, archived), scores


@given(full_tables(), SCORES)
def test_true_rank_lies_within_the_bounds(case: tuple[Leaderboard, list[float]], score: float) -> None:
    table, scores = case
    true_rank = 1 + sum(table.better(other, score) for other in scores)
    standing = table.standing(score)
    assert standing is not None
    assert standing.rank_low <= true_rank <= standing.rank_high
    assert standing.rank_low <= standing.rank <= standing.rank_high
    assert 0.0 <= standing.percentile <= 100.0
    if len(table.ranks) == table.teams:
        assert standing.rank == true_rank == standing.rank_low == standing.rank_high


@given(full_tables(), SCORES, SCORES)
def test_a_better_score_never_stands_worse(case: tuple[Leaderboard, list[float]], one: float, two: float) -> None:
    table, _ = case
    better, worse = (one, two) if table.at_least(one, two) else (two, one)
    first, second = table.standing(better), table.standing(worse)
    assert first is not None and second is not None
    assert first.rank <= second.rank
    assert first.rank_low <= second.rank_low
    assert first.rank_high <= second.rank_high
    assert first.percentile >= second.percentile
    order = [Medal.GOLD, Medal.SILVER, Medal.BRONZE, None]
    assert order.index(table.medal(better)) <= order.index(table.medal(worse))
    assert table.above_median(better) >= table.above_median(worse)


@given(full_tables(), SCORES)
def test_medal_agrees_with_thresholds_and_with_the_rank(case: tuple[Leaderboard, list[float]], score: float) -> None:
    table, scores = case
    medal = table.medal(score)
    reached = [m for m in Medal if table.at_least(score, getattr(table, m.value))]
    assert medal == (reached[0] if reached else None)
    true_rank = 1 + sum(table.better(other, score) for other in scores)
    positions = medal_positions(len(scores))
    assert (medal is not None) == (true_rank <= positions[Medal.BRONZE])
    assert (medal is Medal.GOLD) == (true_rank <= positions[Medal.GOLD])


def test_a_plateau_shares_its_best_rank() -> None:
    table = board([1, 2, 10, 20], [1.0, 0.9, 0.9, 0.5])
    standing = table.standing(0.9)
    assert standing is not None
    assert (standing.rank, standing.rank_low, standing.rank_high) == (2, 2, 2)


def test_just_behind_a_plateau_is_behind_all_of_it() -> None:
    table = board([1, 2, 10, 20], [1.0, 0.9, 0.9, 0.5])
    standing = table.standing(0.89999)
    assert standing is not None
    assert (standing.rank, standing.rank_low, standing.rank_high) == (11, 11, 20)


def test_between_two_ranks_the_teams_are_assumed_on_a_line() -> None:
    table = board([1, 11, 21], [1.0, 0.5, 0.0])
    halfway, tied = table.standing(0.75), table.standing(0.5)
    assert halfway is not None and tied is not None
    assert (halfway.rank, halfway.rank_low, halfway.rank_high) == (6, 2, 11)
    assert (tied.rank, tied.rank_low, tied.rank_high) == (11, 2, 11)
    off_the_line = table.standing(0.74)
    # On the line ranks 1-6 score 1.0, 0.95, ..., 0.75: six teams are strictly better than 0.74.
    assert off_the_line is not None and off_the_line.rank == 7


@pytest.mark.parametrize("higher", [True, False])
def test_better_than_the_first_and_worse_than_the_last(higher: bool) -> None:
    scores = [0.9, 0.5, 0.1] if higher else [0.1, 0.5, 0.9]
    table = board([1, 5, 10], scores, higher=higher)
    best, worst = (2.0, -2.0) if higher else (-2.0, 2.0)
    first, last, same_as_last = table.standing(best), table.standing(worst), table.standing(scores[-1])
    assert first is not None and last is not None and same_as_last is not None
    assert (first.rank, first.rank_low, first.rank_high, first.percentile) == (1, 1, 1, 100.0)
    assert (last.rank, last.rank_low, last.rank_high, last.percentile) == (11, 11, 11, 0.0)
    assert same_as_last.rank == 10
    assert same_as_last.percentile == pytest.approx(10.0)


def test_unknown_is_said_not_invented() -> None:
    table = board([1, 2], [1.0, 0.5])
    without = Leaderboard(True, 2, 1.0, 1.0, 1.0, 0.5, "test", "")
    assert without.standing(0.7) is None
    assert table.standing(math.nan) is None
    assert table.medal(math.nan) is None
    assert not table.above_median(math.nan)


def test_rounded_to_five_decimals_before_comparing() -> None:
    table = board([1, 2], [0.9, 0.5])
    assert table.medal(0.899996) is Medal.GOLD
    assert table.medal(0.899994) is None
    assert not table.above_median(0.500004)


@pytest.mark.parametrize(
    ("teams", "gold", "silver", "bronze"),
    [
        (1, 1, 1, 1),
        (5, 1, 1, 2),
        (10, 1, 2, 4),
        (99, 9, 19, 39),
        (100, 10, 20, 40),
        (249, 10, 49, 99),
        (250, 10, 50, 100),
        (999, 11, 50, 100),
        (1000, 12, 50, 100),
        (3900, 17, 195, 390),
    ],
)
def test_medal_positions(teams: int, gold: int, silver: int, bronze: int) -> None:
    assert medal_positions(teams) == {Medal.GOLD: gold, Medal.SILVER: silver, Medal.BRONZE: bronze}


@pytest.mark.parametrize(
    "competition",
    [
        "cassava-leaf-disease-classification",
        "denoising-dirty-documents",
        "detecting-insults-in-social-commentary",
        "kuzushiji-recognition",
    ],
)
def test_archived_thresholds_follow_the_medal_rule(competition: str) -> None:
    folder = content_dir("competitions") / competition
    higher = competition != "denoising-dirty-documents"
    table = load_leaderboard(folder, higher)
    assert table.teams
    for medal, position in medal_positions(table.teams).items():
        standing = table.standing(getattr(table, medal.value))
        assert standing is not None
        assert standing.rank_low <= position, medal


def test_every_archived_leaderboard_loads_and_is_in_order() -> None:
    folders = sorted(path.parent for path in content_dir("competitions").glob("*/leaderboard.toml"))
    assert len(folders) >= 82
    for folder in folders:
        higher = "higher_is_better = true" in (folder / "leaderboard.toml").read_text(encoding="utf-8")
        table = load_leaderboard(folder, higher)
        better_first = [table.gold, table.silver, table.bronze, table.median]
        assert all(table.at_least(a, b) for a, b in pairwise(better_first)), folder


def _write(folder: Path, rows: str, teams: int = 3) -> None:
    (folder / "leaderboard.toml").write_text(
        f'higher_is_better = true\nteams = {teams}\ngold = 1\nsilver = 1\nbronze = 1\nmedian = 0\nsource = "x"\n'
        'date = "2020-01-01"\n'
    )
    (folder / "leaderboard.csv").write_text("rank,score\n" + rows)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ("1,0.5\n2,0.9\n", "best first"),
        ("1,0.5\n1,0.4\n", "ascend"),
        ("1,0.5\n9,0.4\n", "number of teams"),
        ("1,0.5\n2,nan\n", "finite"),
        ("one,0.5\n", "malformed"),
    ],
)
def test_a_broken_rank_table_is_refused(tmp_path: Path, rows: str, word: str) -> None:
    _write(tmp_path, rows)
    with pytest.raises(CompetitionError, match=word):
        load_leaderboard(tmp_path, True)


def test_missing_file_and_wrong_direction_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CompetitionError, match="is missing"):
        load_leaderboard(tmp_path, True)
    _write(tmp_path, "1,0.5\n")
    with pytest.raises(CompetitionError, match="contradicts"):
        load_leaderboard(tmp_path, False)
