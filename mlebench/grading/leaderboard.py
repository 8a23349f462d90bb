"""Archived leaderboards: medal thresholds, where a score would stand, and Kaggle's medal rule.

`leaderboard.toml` of a competition holds the facts (teams, direction, thresholds, source, date);
`leaderboard.csv`, where an archive has it, the score at a sample of ranks (columns rank, score; best first).
Without the table a rank or percentile is unknown, never invented.

A user may have fetched the whole board from Kaggle (`mlebench leaderboard fetch`, see data/kaggle/leaderboard.py):
then ranks and percentiles are read off that one. Thresholds of medals and the median stay the archived ones always,
so that medals mean the same everywhere.
"""

from __future__ import annotations

import bisect
import csv
import json
import math
import tomllib
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from mlebench.errors import CompetitionError

SCORE_DECIMALS = 5
"""Scores are rounded to this many decimals before they are compared with anything (as published)."""


class Medal(StrEnum):
    """What a score earns; a submission gets only its highest medal."""

    GOLD = "gold"
    SILVER = "silver"
    BRONZE = "bronze"


@dataclass(frozen=True)
class Standing:
    """Where a score would stand among the archived teams."""

    rank: int
    """Estimate: 1 + number of teams strictly better (between two archived ranks by linear interpolation)."""
    rank_low: int
    """Best rank the archived figures allow."""
    rank_high: int
    """Worst rank the archived figures allow."""
    percentile: float
    """100 * (1 - (rank - 1) / teams): 100 is the top, 0 is behind every team."""


@dataclass(frozen=True)
class Leaderboard:
    """Archived figures of one competition's final leaderboard."""

    higher_is_better: bool
    teams: int | None
    gold: float
    silver: float
    bronze: float
    median: float
    source: str
    date: str
    note: str = ""
    ranks: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    fetched: str = ""
    """Where and when ranks, scores and teams were fetched by the user; empty: they are the archived ones."""

    def at_least(self, score: float, threshold: float) -> bool:
        """Whether `score` is as good as `threshold` or better."""
        return score >= threshold if self.higher_is_better else score <= threshold

    def better(self, score: float, other: float) -> bool:
        """Whether `score` is strictly better than `other`."""
        return score > other if self.higher_is_better else score < other

    def medal(self, score: float) -> Medal | None:
        """The highest medal whose threshold the rounded score reaches; equal earns it."""
        score = round(score, SCORE_DECIMALS)
        for medal, threshold in (
            (Medal.GOLD, self.gold),
            (Medal.SILVER, self.silver),
            (Medal.BRONZE, self.bronze),
        ):
            if self.at_least(score, threshold):
                return medal
        return None

    def above_median(self, score: float) -> bool:
        """Whether the rounded score is strictly better than the median team's."""
        return self.better(round(score, SCORE_DECIMALS), self.median)

    def standing(self, score: float) -> Standing | None:
        """Estimate the rank of a score; none where no rank table is archived, or the score is not a number.

        A tie shares the best rank of its plateau. Between two archived ranks the scores of the teams in between
        are unknown: `rank_low` and `rank_high` bound the rank, and `rank` assumes that they lie on a line.
        """
        if not self.ranks or not self.teams or math.isnan(score):
            return None
        score = round(score, SCORE_DECIMALS)
        sign = -1.0 if self.higher_is_better else 1.0
        keys = [sign * value for value in self.scores]
        # Archived rows before `i` are strictly better than the score, row `i` is not.
        i = bisect.bisect_left(keys, sign * score)
        low = self.ranks[i - 1] + 1 if i else 1
        high = self.ranks[i] if i < len(keys) else self.teams + 1
        rank = high
        if 0 < i < len(keys):
            share = (sign * score - keys[i - 1]) / (keys[i] - keys[i - 1])
            behind = self.ranks[i - 1] + share * (self.ranks[i] - self.ranks[i - 1])
            # Teams on the line before `behind` are strictly better; rounding keeps 21.0000001 from becoming 22.
            rank = min(high, max(low, math.ceil(round(behind, 6))))
        return Standing(rank, low, high, 100.0 * (1.0 - (rank - 1) / self.teams))


def medal_positions(teams: int) -> dict[Medal, int]:
    """Last position that earns each medal among `teams` teams (Kaggle's progression rule).

    Below 100 teams: the top 10 %, 20 % and 40 %; 100-249: the first 10, 20 % and 40 %; 250-999: 10 + 0.2 % of
    teams, 50, 100; from 1,000 on: 10 + 0.2 %, 5 %, 10 %. Positions are floored and at least 1.
    """
    if teams < 100:
        positions = (teams * 10 // 100, teams * 20 // 100, teams * 40 // 100)
    elif teams < 250:
        positions = (10, teams * 20 // 100, teams * 40 // 100)
    elif teams < 1000:
        positions = (10 + teams * 2 // 1000, 50, 100)
    else:
        positions = (10 + teams * 2 // 1000, teams * 5 // 100, teams * 10 // 100)
    return {medal: max(1, position) for medal, position in zip(Medal, positions, strict=True)}


def load_leaderboard(folder: Path, higher_is_better: bool, home: Path | None = None) -> Leaderboard:
    """Read a competition folder's leaderboard.toml and, where there is one, leaderboard.csv.

    `home` is the competition's folder in the data directory: a board that was fetched into it gives ranks and teams.
    """
    path = folder / "leaderboard.toml"
    try:
        with path.open("rb") as file:
            facts = tomllib.load(file)
        ranks, scores = _rank_table(folder / "leaderboard.csv")
        board = Leaderboard(
            higher_is_better=bool(facts["higher_is_better"]),
            teams=facts.get("teams"),
            gold=float(facts["gold"]),
            silver=float(facts["silver"]),
            bronze=float(facts["bronze"]),
            median=float(facts["median"]),
            source=facts["source"],
            date=str(facts["date"]),
            note=facts.get("note", ""),
            ranks=ranks,
            scores=scores,
        )
        _check_rank_table(board)
    except FileNotFoundError:
        raise CompetitionError(f"{path} is missing; every competition needs its leaderboard figures.") from None
    except (tomllib.TOMLDecodeError, KeyError, ValueError, TypeError) as error:
        raise CompetitionError(f"{path} or leaderboard.csv beside it is malformed: {error}.") from None
    if board.higher_is_better != higher_is_better:
        raise CompetitionError(f"{path}: higher_is_better contradicts competition.toml.")
    return board if home is None else _with_fetched(board, home)


def _with_fetched(board: Leaderboard, home: Path) -> Leaderboard:
    record, table = home / "leaderboard.json", home / "leaderboard.csv"
    if not (record.is_file() and table.is_file()):
        return board
    try:
        facts = json.loads(record.read_text(encoding="utf-8"))
        ranks, scores = _rank_table(table)
        fetched = replace(board, ranks=ranks, scores=scores, teams=int(facts["teams"]), fetched=str(facts["source"]))
        _check_rank_table(fetched)
    except (KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise CompetitionError(f"{table} or leaderboard.json beside it is malformed: {error}; delete both.") from None
    return fetched


def _rank_table(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    if not path.is_file():
        return (), ()
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(int(row["rank"]), float(row["score"])) for row in csv.DictReader(file)]
    return tuple(rank for rank, _ in rows), tuple(score for _, score in rows)


def _check_rank_table(board: Leaderboard) -> None:
    if not board.ranks:
        return
    if board.teams is None or board.ranks[0] < 1 or board.ranks[-1] > board.teams:
        raise ValueError("ranks must lie between 1 and the number of teams")
    if any(second <= first for first, second in pairwise(board.ranks)):
        raise ValueError("ranks must ascend")
    if not all(math.isfinite(score) for score in board.scores):
        raise ValueError("scores must be finite")
    if any(board.better(second, first) for first, second in pairwise(board.scores)):
        raise ValueError("scores must be sorted best first")
