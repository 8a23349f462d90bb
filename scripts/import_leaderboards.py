#!/usr/bin/env python3
"""Writes competitions/<id>/leaderboard.toml and leaderboard.csv from a folder of transcribed figures.

    python scripts/import_leaderboards.py ../shared/leaderboards             # every competition folder there is
    python scripts/import_leaderboards.py ../shared/leaderboards ID ...      # these ids, their folders made if need be
    python scripts/import_leaderboards.py ../shared/leaderboards --all       # every id of medals.csv
    python scripts/import_leaderboards.py ../shared/leaderboards --check     # exit 1 where a file differs

Numbers are copied as text, digit for digit, so a second run changes nothing.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

SOURCE = "Figures of the contest's final private leaderboard on Kaggle, transcribed from an archive."
TRANSCRIBED = "2026-11-21"
COMPETITIONS = Path(__file__).resolve().parent.parent / "competitions"

Figures = dict[str, str]


def read_figures(folder: Path) -> dict[str, Figures]:
    """Rows of medals.csv by competition id."""
    with (folder / "medals.csv").open(encoding="utf-8", newline="") as file:
        return {row["competition_id"]: row for row in csv.DictReader(file)}


def read_rank_tables(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """(rank, score) as text, best first, by competition id."""
    tables: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with (folder / "score_at_rank.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables[row["competition_id"]].append((row["rank"], row["score"]))
    return tables


def toml_text(figures: Figures) -> str:
    """The content of leaderboard.toml."""
    lines = [f"higher_is_better = {str({'max': True, 'min': False}[figures['direction']]).lower()}"]
    if figures["n_teams"]:
        lines.append(f"teams = {int(figures['n_teams'])}")
    for key in ("gold", "silver", "bronze", "median"):
        float(figures[key])  # a figure that is no number must not be written
        lines.append(f"{key} = {figures[key]}")
    lines += [f'source = "{SOURCE}"', f'date = "{TRANSCRIBED}"']
    note = figures["note"].replace(",", ", ").replace(",  ", ", ")
    if note:
        lines.append(f'note = "{note[0].upper()}{note[1:]}."')
    return "\n".join(lines) + "\n"


def csv_text(table: list[tuple[str, str]]) -> str:
    """The content of leaderboard.csv."""
    return "\n".join(["rank,score", *(f"{int(rank)},{score}" for rank, score in table)]) + "\n"


def wanted_files(source: Path, ids: list[str]) -> dict[Path, str]:
    """Every file these competitions should have, and what stands in it."""
    figures, tables = read_figures(source), read_rank_tables(source)
    unknown = sorted(set(ids) - set(figures))
    if unknown:
        sys.exit(f"medals.csv has no figures for {', '.join(unknown)}.")
    wanted: dict[Path, str] = {}
    for competition in ids:
        folder = COMPETITIONS / competition
        wanted[folder / "leaderboard.toml"] = toml_text(figures[competition])
        if competition in tables:
            wanted[folder / "leaderboard.csv"] = csv_text(tables[competition])
    return wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with medals.csv and score_at_rank.csv")
    parser.add_argument("ids", nargs="*", help="competition ids [default: every competition folder there is]")
    parser.add_argument("--all", action="store_true", help="every id of medals.csv")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file differs")
    asked = parser.parse_args()

    known = read_figures(asked.source)
    ids = asked.ids or sorted(id_ for id_ in known if asked.all or (COMPETITIONS / id_).is_dir())
    wanted = wanted_files(asked.source, ids)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if asked.check:
        for path in stale:
            print(f"differs: {path}")
        sys.exit(1 if stale else 0)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.part")
        aside.write_text(wanted[path], encoding="utf-8")
        aside.replace(path)
    print(f"{len(ids)} competitions, {len(stale)} of {len(wanted)} files written")


if __name__ == "__main__":
    main()
