"""Fetched leaderboards: names dropped, held against the archived figures, used for ranks and named where used."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from kaggle_server import Contest, FakeKaggle

from mlebench.competition import Competition
from mlebench.data.kaggle.leaderboard import fetch_leaderboard
from mlebench.errors import CompetitionError, DataError
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.registry import Registry

ID = "aerial-cactus-identification"


@pytest.fixture
def competition() -> Competition:
    return Registry().get(ID)


def board_like(competition: Competition, teams: int = 1000) -> list[tuple[str, str]]:
    """A private board on which the archived thresholds stand where they should."""
    archived = load_leaderboard(competition.folder, competition.metric.higher_is_better)
    scores = [archived.gold] * 12 + [archived.silver] * 38 + [archived.bronze] * 50
    scores += [archived.median] * 450 + [archived.median - 0.1] * 450
    return [(f"team {i}", f"{score:.5f}") for i, score in enumerate(scores)][:teams]


def test_ranks_come_from_the_fetched_board_and_thresholds_stay(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path
) -> None:
    kaggle.contests[ID] = Contest(private=board_like(competition))
    fetched = fetch_leaderboard(competition, tmp_path)
    assert fetched.teams == 1000 and fetched.call == "GetLeaderboard" and not fetched.differences
    assert kaggle.calls["GetLeaderboard"] == 5 and "team" not in (tmp_path / "leaderboard.csv").read_text()
    archived = load_leaderboard(competition.folder, True)
    board = load_leaderboard(competition.folder, True, tmp_path)
    assert (board.gold, board.median, board.teams) == (archived.gold, archived.median, 1000)
    assert board.fetched.startswith("fetched from Kaggle on 20")
    standing = board.standing(archived.bronze)
    place = 1 + sum(float(score) > archived.bronze for _, score in board_like(competition))
    assert standing.rank == standing.rank_low == standing.rank_high == place


def test_the_public_board_is_not_taken_for_the_final_one(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path
) -> None:
    rows = "TeamId,TeamName,SubmissionDate,Score\n" + "".join(f"{i},x,2020,{0.5}\n" for i in range(1000))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        out.writestr("x-publicleaderboard.csv", rows)
    kaggle.contests[ID] = Contest(public_csv=content.getvalue())
    with pytest.raises(DataError, match="--accept-different"):
        fetch_leaderboard(competition, tmp_path)
    assert not (tmp_path / "leaderboard.csv").exists()
    fetched = fetch_leaderboard(competition, tmp_path, accept_different=True)
    assert fetched.call == "DownloadLeaderboard" and "unlike" in fetched.source
    assert load_leaderboard(competition.folder, True, tmp_path).teams == 1000
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("leader")) == [
        "leaderboard.csv",
        "leaderboard.json",
    ]


def test_a_table_without_its_record_is_not_used(competition: Competition, tmp_path: Path) -> None:
    (tmp_path / "leaderboard.csv").write_text("rank,score\n1,0.9\n")
    assert load_leaderboard(competition.folder, True, tmp_path).fetched == ""
    (tmp_path / "leaderboard.json").write_text("{}")
    with pytest.raises(CompetitionError, match="delete both"):
        load_leaderboard(competition.folder, True, tmp_path)
