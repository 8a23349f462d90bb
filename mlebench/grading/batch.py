"""Grading a list of submissions (lines of competition_id + submission_path), each isolated from the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlebench.competition import Edition
from mlebench.data.paths import DataDir
from mlebench.errors import UsageError
from mlebench.grading.grade import Grader
from mlebench.grading.report import GradeReport, Outcome
from mlebench.registry import Registry


def read_submission_list(path: Path) -> list[tuple[str, Path]]:
    """(competition id, submission path) of each line of a JSONL file; relative paths count from its folder."""
    entries = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            competition, submission = str(entry["competition_id"]), entry["submission_path"]
        except (json.JSONDecodeError, KeyError, TypeError):
            raise UsageError(
                f"{path}, line {number}: expected an object with competition_id and submission_path."
            ) from None
        # The published format writes null where an agent left nothing.
        entries.append((competition, path.parent / (submission or "no-submission")))
    if not entries:
        raise UsageError(f"{path} lists no submissions.")
    return entries


def grade_list(
    entries: list[tuple[str, Path]], registry: Registry, data_dir: DataDir, edition: Edition = "v1"
) -> Iterator[GradeReport]:
    """Grade each entry and yield its report; every competition's answers are read once."""
    for competition_id in dict.fromkeys(entry[0] for entry in entries):  # refuse before grading half of them
        Grader(registry.get(competition_id), data_dir.paths(competition_id, edition), edition=edition)
    by_competition: dict[str, list[int]] = {}
    for position, (competition_id, _) in enumerate(entries):
        by_competition.setdefault(competition_id, []).append(position)
    for competition_id, positions in by_competition.items():
        grader = Grader(registry.get(competition_id), data_dir.paths(competition_id, edition), edition=edition)
        for position in positions:
            yield grader.grade(entries[position][1])


def group_report(reports: list[GradeReport]) -> dict[str, Any]:
    """Totals over many reports under the published benchmark's keys, and the reports themselves.

    Two totals are ours: how many of the medals, and of those above the median, are of made-up data and mean nothing.
    """
    return {
        "total_runs": len(reports),
        "total_runs_with_submissions": sum(r.outcome is not Outcome.NO_SUBMISSION for r in reports),
        "total_valid_submissions": sum(r.valid for r in reports),
        "total_medals": sum(r.medal is not None for r in reports),
        "total_gold_medals": sum(r.medal == "gold" for r in reports),
        "total_silver_medals": sum(r.medal == "silver" for r in reports),
        "total_bronze_medals": sum(r.medal == "bronze" for r in reports),
        "total_above_median": sum(r.above_median for r in reports),
        "total_synthetic_medals": sum(r.synthetic and r.medal is not None for r in reports),
        "total_synthetic_above_median": sum(r.synthetic and r.above_median for r in reports),
        "competitions": len({r.competition for r in reports}),
        "competition_reports": [r.to_json() for r in reports],
    }
