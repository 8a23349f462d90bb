"""A contest's whole leaderboard, fetched into the user's data directory, without names of teams.

    <data-dir>/<id>/leaderboard.csv     rank, score; best first
    <data-dir>/<id>/leaderboard.json    where it came from, when, whether it fits the archived figures

Kaggle has two boards. `DownloadLeaderboard` gives one file in one call, but as a rule the public board;
`GetLeaderboard` gives the private (final) one, page by page. Medals are won on the private one, so whichever comes is
held against the archived thresholds, and a board on which they stand elsewhere is not used without being told to.
"""

from __future__ import annotations

import csv
import io
import math
import os
import struct
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlebench.competition import Competition
from mlebench.data.archive_rules import DAMAGE
from mlebench.data.kaggle.client import Kaggle, Tell, hasty
from mlebench.data.kaggle.errors import KaggleError, Problem
from mlebench.errors import DataError, MlebenchError
from mlebench.grading.leaderboard import Leaderboard, load_leaderboard, medal_positions

PAGE = 200
SPARE_PAGES, SMALLEST_SHARE = 50, 10
"""Kaggle may give a tenth of the page that was asked for; one that always has a next page is stopped some time."""
MAX_ZIP = 32 * 2**20
MAX_TABLE = 128 * 2**20
"""The largest board of Kaggle has some 30,000 teams in 3 MB."""
LEAST_TEAMS = 0.75
"""Share of the archived number of teams that a board must have to be the same one."""
TOLERANCE = 0.02
"""Share of the teams by which an archived threshold may stand beside its place on the fetched board."""
_LEFT_BEHIND = 3600.0
"""Seconds after which a file aside is nobody's any more."""


class FetchedBoard(BaseModel):
    """leaderboard.json: what is known about the table beside it."""

    competition: str
    source: str
    """For people: from where and when."""
    call: str
    """The client's call that gave it."""
    fetched_at: datetime
    teams: int
    differences: list[str] = []
    """Archived thresholds that stand elsewhere on this board; empty when it fits."""


def fetch_leaderboard(
    competition: Competition, home: Path, *, accept_different: bool = False, tell: Tell = lambda _: None
) -> FetchedBoard:
    """Fetch, compare with the archived figures, write; a DataError when no board fits (unless accepted).

    `tell` hears what is waited for.
    """
    archived = load_leaderboard(competition.folder, competition.metric.higher_is_better)
    kaggle = Kaggle(patience=hasty(), tell=lambda text: tell(f"{competition.id}: {text}"))
    _make_room(home)
    found: list[tuple[str, list[float], list[str]]] = []
    ways: dict[str, Callable[[], list[float]]] = {
        "GetLeaderboard": lambda: _by_pages(kaggle, competition.id, archived),
        "DownloadLeaderboard": lambda: _by_file(kaggle, competition.id, archived),
    }
    error: MlebenchError | None = None
    for call, ask in ways.items():
        try:
            scores = sorted(ask(), reverse=archived.higher_is_better)
        except KaggleError as problem:
            if problem.for_all:
                raise
            error = error or _about_boards(problem, competition.id)
            continue
        except DataError as problem:
            error = error or problem
            continue
        if scores:
            found.append((call, scores, differences(archived, scores)))
            if not found[-1][2]:
                break
    if not found:
        raise error or DataError(f"Kaggle gives no leaderboard of {competition.id}; the archived figures stay in use.")
    call, scores, unlike = min(found, key=lambda one: len(one[2]))
    if unlike and not accept_different:
        raise DataError(
            f"Kaggle's leaderboard of {competition.id} ({len(scores):,} teams) does not fit the archived one: "
            f"{'; '.join(unlike)}. It may be the public board, or still moving; it is not used unless you add "
            "--accept-different."
        )
    now = datetime.now(UTC)
    source = f"fetched from Kaggle on {now:%Y-%m-%d}" + (", unlike the archived figures" if unlike else "")
    board = FetchedBoard(
        competition=competition.id, source=source, call=call, fetched_at=now, teams=len(scores), differences=unlike
    )
    _write(home, scores, board)
    return board


def _about_boards(problem: KaggleError, competition: str) -> KaggleError:
    """A refusal of the board, where the sentence would speak of the zip."""
    if problem.problem is not Problem.NOT_FOUND:
        return problem
    return KaggleError(
        Problem.NOT_FOUND,
        f"Kaggle gives no leaderboard of {competition} (404): see https://www.kaggle.com/competitions/{competition}/"
        "leaderboard; the archived figures stay in use.",
    )


def differences(archived: Leaderboard, scores: list[float]) -> list[str]:
    """Archived thresholds whose place among `scores` (best first) is not the one that earns the medal.

    On a board of few teams every threshold stands where it should, so a much smaller one than the archived is refused
    for that.
    """
    teams = len(scores)
    known = _teams_of(archived)
    if teams < LEAST_TEAMS * known:
        return [f"it has {teams:,} teams, the archived one {known:,}"]
    places = {medal.value: float(place) for medal, place in medal_positions(teams).items()}
    places["median"] = (teams + 1) / 2
    slack = max(2.0, TOLERANCE * teams)
    unlike = []
    for name, place in places.items():
        threshold = getattr(archived, name)
        better = sum(archived.better(score, threshold) for score in scores)
        as_good = sum(archived.at_least(score, threshold) for score in scores)
        if not better + 1 - slack <= place <= max(as_good, better + 1) + slack:
            unlike.append(f"the {name} score {threshold:g} stands at rank {better + 1:,}, not about {place:,.0f}")
    return unlike


def _teams_of(archived: Leaderboard) -> int:
    return max([archived.teams or 0, *archived.ranks])


def _make_room(home: Path) -> None:
    """The folder, without what killed fetches left: earlier versions kept a zip there, with names of teams."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob(".leaderboard.*"):
            if left.suffix == ".part" or time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                left.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"The data folder {home} cannot be written: {error.strerror}; use another --data-dir."
        ) from None


def _write(home: Path, scores: list[float], board: FetchedBoard) -> None:
    """Both files aside first, so that a disk that is full leaves the board that was there."""
    table, record = (home / f".leaderboard.{kind}.{os.getpid()}" for kind in ("csv", "json"))
    try:
        with table.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(["rank", "score"])
            out.writerows((rank, repr(score)) for rank, score in enumerate(scores, 1))
        record.write_text(board.model_dump_json(indent=1), encoding="utf-8")
        (home / "leaderboard.json").unlink(missing_ok=True)  # a table without its record is not used
        table.replace(home / "leaderboard.csv")
        record.replace(home / "leaderboard.json")
    except OSError as error:
        raise DataError(
            f"The leaderboard of {board.competition} cannot be written to {home} ({error.strerror}): make room there, "
            "or make the folder yours (chown), then run the same command again."
        ) from error
    finally:
        for aside in (table, record):
            aside.unlink(missing_ok=True)


def _by_pages(kaggle: Kaggle, competition: str, archived: Leaderboard) -> list[float]:
    from kagglesdk.competitions.types.competition_api_service import ApiGetLeaderboardRequest

    request = ApiGetLeaderboardRequest()
    request.competition_name = competition
    request.page_size = PAGE
    scores: dict[int, float] = {}
    teams: set[int] = set()
    """Those without a score, too: a page of them is not the last one."""
    for _ in range(SPARE_PAGES + SMALLEST_SHARE * _teams_of(archived) // PAGE):
        answer: Any = kaggle.call(competition, lambda api: api.get_leaderboard(request))
        before = len(teams)
        for row in answer.submissions or []:
            teams.add(row.team_id)
            if (score := _number(row.score)) is not None:
                scores[row.team_id] = score
        if not answer.next_page_token or len(teams) == before:
            return list(scores.values())
        request.page_token = answer.next_page_token
    raise _too_large(competition)


def _by_file(kaggle: Kaggle, competition: str, archived: Leaderboard) -> list[float]:
    """Held in memory, so that names of teams never lie on the disk."""
    from kagglesdk.competitions.types.competition_api_service import ApiDownloadLeaderboardRequest

    request = ApiDownloadLeaderboardRequest()
    request.competition_name = competition

    def download(api: Any) -> bytes:
        content = bytearray()
        with api.download_leaderboard(request) as response:
            for block in response.iter_content(1 << 16):
                content += block
                if len(content) > MAX_ZIP:
                    break
        return bytes(content)

    content = kaggle.call(competition, download)
    if len(content) > MAX_ZIP:
        raise _too_large(competition)
    try:
        return list(_best_scores(_first_table(content, competition), archived).values())
    except (*DAMAGE, csv.Error, RuntimeError, zipfile.LargeZipFile, OSError, ValueError, struct.error) as error:
        raise DataError(
            f"Kaggle's file with the leaderboard of {competition} cannot be read ({type(error).__name__}); the archived "
            "figures stay in use."
        ) from error


def _first_table(content: bytes, competition: str) -> str:
    """The first CSV in a zip; names of teams in it may be of any encoding, figures are ASCII."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        tables = [one for one in opened.infolist() if one.filename.lower().endswith(".csv") and not one.is_dir()]
        if tables and tables[0].file_size > MAX_TABLE:
            raise _too_large(competition)
        return opened.read(tables[0]).decode("utf-8-sig", errors="replace") if tables else ""


def _best_scores(table: str, archived: Leaderboard) -> dict[str, float]:
    """The best score of each team."""
    best: dict[str, float] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(table))):
        cells = {key.strip().lower(): value for key, value in row.items() if key}
        score, team = _number(cells.get("score")), cells.get("teamid") or cells.get("teamname") or f"row {number}"
        if score is not None and (team not in best or archived.better(score, best[team])):
            best[team] = score
    return best


def _too_large(competition: str) -> DataError:
    return DataError(
        f"Kaggle's leaderboard of {competition} is larger than any leaderboard; the archived figures stay in use."
    )


def _number(text: object) -> float | None:
    try:
        value = float(text or "") if isinstance(text, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
