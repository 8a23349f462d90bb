"""Fetched leaderboards: names dropped, held against the archived figures, used for ranks and named where used."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from kaggle_server import Contest, FakeKaggle
from typer.testing import CliRunner

from mlebench.cli import verbs  # noqa: F401
from mlebench.cli.app import app
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
    for record in ("{}", '{"teams": 1e400, "source": "x"}'):
        (tmp_path / "leaderboard.json").write_text(record)
        with pytest.raises(CompetitionError, match="delete both"):
            load_leaderboard(competition.folder, True, tmp_path)


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            out.writestr(name, text)
    return content.getvalue()


HEAD = b"TeamId,TeamName,SubmissionDate,Score\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"<html>sign in</html>", "cannot be read"),
        (zipped({}), "gives no leaderboard"),
        (zipped({"a.txt": b"x"}), "gives no leaderboard"),
        (zipped({"a.csv": b"a,b\n1,2\n"}), "gives no leaderboard"),
        (zipped({"a.csv": HEAD.decode().encode("utf-16")}), "gives no leaderboard"),
        (zipped({"a.csv": HEAD + b'1,"' + b"x" * 200_000 + b'",2020,3\n'}), "cannot be read"),
        (zipped({"a.csv": b"0" * (129 * 2**20)}), "larger than any"),
        (zipped({"a.csv": HEAD})[:60], "cannot be read"),
    ],
    ids=["empty", "html", "no-member", "no-csv", "no-score", "utf16", "long-field", "bomb", "cut"],
)
def test_a_file_that_is_no_board_is_told_in_a_sentence(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path, content: bytes, words: str
) -> None:
    kaggle.contests[ID] = Contest(public_csv=content)
    with pytest.raises(DataError, match=words) as told:
        fetch_leaderboard(competition, tmp_path / ID)
    assert "archived figures stay" in str(told.value) and not list((tmp_path / ID).iterdir())


def test_names_of_teams_may_be_of_any_encoding(kaggle: FakeKaggle, competition: Competition, tmp_path: Path) -> None:
    rows = "".join(f"{i},t\u00e9am,2020,{score}\n" for i, (_, score) in enumerate(board_like(competition)))
    kaggle.contests[ID] = Contest(public_csv=zipped({"a.csv": HEAD + rows.encode("latin-1")}))
    assert fetch_leaderboard(competition, tmp_path).teams == 1000


@pytest.mark.parametrize("teams", [1, 2, 700])
def test_a_much_smaller_board_is_not_the_archived_one(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path, teams: int
) -> None:
    kaggle.contests[ID] = Contest(private=board_like(competition, teams))
    with pytest.raises(DataError, match=f"it has {teams} teams, the archived one 1,2"):
        fetch_leaderboard(competition, tmp_path)
    assert fetch_leaderboard(competition, tmp_path, accept_different=True).teams == teams


def test_a_full_disk_leaves_the_board_that_was_there(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.contests[ID] = Contest(private=board_like(competition))
    fetch_leaderboard(competition, tmp_path / ID)
    before = {path.name: path.read_bytes() for path in (tmp_path / ID).iterdir()}

    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DataError, match=r"cannot be written .*No space left"):
        fetch_leaderboard(competition, tmp_path / ID)
    assert {path.name: path.read_bytes() for path in (tmp_path / ID).iterdir()} == before


def test_what_a_killed_fetch_left_is_removed(kaggle: FakeKaggle, competition: Competition, tmp_path: Path) -> None:
    kaggle.contests[ID] = Contest(private=board_like(competition))
    (tmp_path / ID).mkdir()
    (tmp_path / ID / ".leaderboard.zip.part").write_text("names of teams, as earlier versions left them")
    fetch_leaderboard(competition, tmp_path / ID)
    assert sorted(path.name for path in (tmp_path / ID).iterdir()) == ["leaderboard.csv", "leaderboard.json"]


def test_pages_without_scores_and_without_end(
    kaggle: FakeKaggle, competition: Competition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_like(competition)
    kaggle.contests[ID] = Contest(private=board[:200] + [("x", "")] * 200 + board[200:])
    assert fetch_leaderboard(competition, tmp_path).teams == 1000
    monkeypatch.setattr("mlebench.data.kaggle.leaderboard.SPARE_PAGES", 4)
    monkeypatch.setattr("mlebench.data.kaggle.leaderboard.SMALLEST_SHARE", 0)
    with pytest.raises(DataError, match="larger than any"):
        fetch_leaderboard(competition, tmp_path)


def test_a_data_directory_that_cannot_be_used(kaggle: FakeKaggle, competition: Competition, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(DataError, match="cannot be written"):
            fetch_leaderboard(competition, home)


def test_a_contest_that_kaggle_does_not_know(kaggle: FakeKaggle, competition: Competition, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no leaderboard of .* \(404\)"):
        fetch_leaderboard(competition, tmp_path)


def test_what_all_would_be_answered_is_asked_once(
    kaggle: FakeKaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "wrong")
    words = ["leaderboard", "fetch", ID, "spaceship-titanic", "leaf-classification", "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1 and kaggle.calls.total() == 1
    assert "The other 2 were not asked for" in result.output
    result = CliRunner().invoke(app, [*words, "--json"])
    assert [one["competition"] for one in json.loads(result.stdout)["failed"]] == words[2:5]
