"""What `mlebench grade` shows of a grade."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))
from made_runs import make_grade

from mlebench.cli.grade import _show_many, show_report
from mlebench.grading.batch import group_report
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


def test_a_medal_on_synthetic_data_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert "gold medal (synthetic), above" in shown(make_grade("apple", 0.95, data_source="synthetic"), capsys)
    assert "gold medal, above" in shown(make_grade("apple", 0.95), capsys)


def test_totals_say_how_many_medals_are_on_synthetic_data(capsys: pytest.CaptureFixture[str]) -> None:
    made_up = make_grade("apple", 0.95, data_source="synthetic")
    _show_many([made_up], False, group_report)
    alone = " ".join(capsys.readouterr().out.split())
    assert "│ gold (synthetic) │" in alone
    assert "1 above the median (synthetic), 1 medal (synthetic): 1 gold, 0 silver, 0 bronze; over 1 comp" in alone
    _show_many([made_up, make_grade("berry", 0.85), make_grade("cherry", 0.1)], False, group_report)
    assert "2 above the median (1 synthetic), 2 medals (1 synthetic): 1 gold, 1 silver, 0 bronze" in " ".join(
        capsys.readouterr().out.split()
    )
    _show_many([make_grade("berry", 0.85)], False, group_report)
    assert "1 medal: 0 gold, 1 silver" in " ".join(capsys.readouterr().out.split())
