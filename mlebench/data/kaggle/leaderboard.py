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
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlebench.competition import Competition
from mlebench.data.archives import open_zip, read_members
from mlebench.data.kaggle.client import Kaggle
from mlebench.errors import DataError, MlebenchError
from mlebench.grading.leaderboard import Leaderboard, load_leaderboard, medal_positions

PAGE = 200
MAX_BYTES = 256 * 2**20
TOLERANCE = 0.02
"""Share of the teams by which an archived threshold may stand beside its place on the fetched board."""


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


def fetch_leaderboard(competition: Competition, home: Path, *, accept_different: bool = False) -> FetchedBoard:
    """Fetch, compare with the archived figures, write; a DataError when no board fits (unless accepted)."""
    archived = load_leaderboard(competition.folder, competition.metric.higher_is_better)
    kaggle = Kaggle()
    home.mkdir(parents=True, exist_ok=True)
    found: list[tuple[str, list[float], list[str]]] = []
    ways: dict[str, Callable[[], list[float]]] = {
        "GetLeaderboard": lambda: _by_pages(kaggle, competition.id),
        "DownloadLeaderboard": lambda: _by_file(kaggle, competition.id, home, archived),
    }
    error: MlebenchError | None = None
    for call, ask in ways.items():
        try:
            scores = sorted(ask(), reverse=archived.higher_is_better)
        except MlebenchError as problem:
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


def differences(archived: Leaderboard, scores: list[float]) -> list[str]:
    """Archived thresholds whose place among `scores` (best first) is not the one that earns the medal."""
    teams = len(scores)
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


def _write(home: Path, scores: list[float], board: FetchedBoard) -> None:
    record = home / "leaderboard.json"
    record.unlink(missing_ok=True)  # a table without its record is not used
    aside = home / ".leaderboard.csv.tmp"
    with aside.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["rank", "score"])
        out.writerows((rank, repr(score)) for rank, score in enumerate(scores, 1))
    aside.replace(home / "leaderboard.csv")
    aside = home / ".leaderboard.json.tmp"
    aside.write_text(board.model_dump_json(indent=1), encoding="utf-8")
    aside.replace(record)


def _by_pages(kaggle: Kaggle, competition: str) -> list[float]:
    from kagglesdk.competitions.types.competition_api_service import ApiGetLeaderboardRequest

    request = ApiGetLeaderboardRequest()
    request.competition_name = competition
    request.page_size = PAGE
    scores: dict[int, float] = {}
    while True:
        answer: Any = kaggle.call(competition, lambda api: api.get_leaderboard(request))
        before = len(scores)
        for row in answer.submissions or []:
            if (score := _number(row.score)) is not None:
                scores[row.team_id] = score
        if not answer.next_page_token or len(scores) == before:
            return list(scores.values())
        request.page_token = answer.next_page_token


def _by_file(kaggle: Kaggle, competition: str, home: Path, archived: Leaderboard) -> list[float]:
    from kagglesdk.competitions.types.competition_api_service import ApiDownloadLeaderboardRequest

    request = ApiDownloadLeaderboardRequest()
    request.competition_name = competition
    part = home / ".leaderboard.zip.part"

    def download(api: Any) -> None:
        response = api.download_leaderboard(request)
        with response, part.open("wb") as file:
            for block in response.iter_content(1 << 16):
                if file.tell() > MAX_BYTES:
                    raise DataError(f"Kaggle's leaderboard of {competition} is larger than any leaderboard.")
                file.write(block)

    try:
        kaggle.call(competition, download)
        with open_zip(part) as opened:
            names = [name for name in opened.namelist() if name.lower().endswith(".csv")]
        best: dict[str, float] = {}
        for name, content in read_members(part, names[:1]):
            for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
                cells = {key.strip().lower(): value for key, value in row.items() if key}
                score, team = _number(cells.get("score")), cells.get("teamid") or cells.get("teamname") or name
                if score is not None and (team not in best or archived.better(score, best[team])):
                    best[team] = score
        return list(best.values())
    finally:
        part.unlink(missing_ok=True)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
