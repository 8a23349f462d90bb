"""What `mlebench grade` shows of a grade."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))
from made_runs import make_grade

from mlebench.cli.grade import show_report
from mlebench.grading.report import GradeReport


def shown(report: GradeReport, capsys: pytest.CaptureFixture[str]) -> str:
    show_report(report, "Accuracy")
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("score", "standing"),
    [
        (0.95, "rank 1 of 100, percentile 100.0"),
        (0.75, "about rank 30 of 100 (between 21 and 40), percentile 71.0"),
        (-1.0, "behind all 100 teams, percentile 0.0"),
    ],
)
def test_a_rank_is_about_only_where_it_is_estimated(
    score: float, standing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f" standing {standing} thresholds" in shown(make_grade("apple", score), capsys)


def test_a_rank_on_a_fetched_board_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    fetched = make_grade("apple", 0.95, rank_source="fetched from Kaggle on 2026-11-01")
    assert "percentile 100.0, on the board fetched from Kaggle" in shown(fetched, capsys)
