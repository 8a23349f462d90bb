"""A registry of four small competitions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlebench.registry import Registry

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package; this folder's share made_runs.py

from made_runs import BOARD

COMPETITION = """
id = "{id}"
title = "{title}"
group = "{group}"
{complexity}
category = "Tabular"
submission = {{ id = "id", columns = [{{ names = ["y"], type = "number" }}] }}
metric = {{ name = "accuracy", title = "Accuracy", higher_is_better = true }}
"""
LEADERBOARD = """
higher_is_better = true
teams = 100
gold = 0.9
silver = 0.8
bronze = 0.7
median = 0.5
source = "Made up for tests."
date = "2026-01-01"
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Four competitions: two low, one high, one of the user's own; no built-in ones."""
    monkeypatch.setattr("mlebench.registry.content_dir", lambda kind: tmp_path / "none")
    rows = {"apple": ("benchmark", "low"), "berry": ("benchmark", "low"), "cherry": ("benchmark", "high")}
    for competition_id, (group, complexity) in {**rows, "mine": ("own", "")}.items():
        folder = tmp_path / "competitions" / competition_id
        folder.mkdir(parents=True)
        level = f'complexity = "{complexity}"' if complexity else ""
        text = COMPETITION.format(id=competition_id, title=competition_id.title(), group=group, complexity=level)
        (folder / "competition.toml").write_text(text)
        (folder / "leaderboard.toml").write_text(LEADERBOARD)
        rows_text = "\n".join(f"{rank},{score}" for rank, score in zip(BOARD.ranks, BOARD.scores, strict=True))
        (folder / "leaderboard.csv").write_text(f"rank,score\n{rows_text}\n")
    return Registry([tmp_path / "competitions"])
