"""The lines that people see while a run goes on."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))
from made_runs import make_attempt, make_grade

from mlebench.cli.progress import Progress
from mlebench.cli.runs import attempts_table
from mlebench.grading.report import GradeReport
from mlebench.running.records import State


def shown_live(grade: GradeReport) -> str:
    """What is printed when an attempt with this grade is done."""
    console = Console(file=io.StringIO(), width=200)
    done = make_attempt("apple", 0, grade)
    before = done.model_copy(update={"state": State.ENDED, "grade": None})
    Progress(console, [before], Path("nowhere")).changed(done, "graded")
    return console.file.getvalue()  # type: ignore[attr-defined]


def shown_in_table(grade: GradeReport) -> str:
    """The table of attempts at the end."""
    console = Console(file=io.StringIO(), width=200)
    console.print(attempts_table([make_attempt("apple", 0, grade)]))
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("score", "written"), [(55.69219, "55.69219"), (1_234_567.0, "1234567"), (0.000012, "0.00001"), (0.5, "0.5")]
)
def test_a_score_is_written_alike_while_it_comes_and_in_the_table(score: float, written: str) -> None:
    grade = make_grade("apple", 0.1).model_copy(update={"score": score, "medal": None})
    assert f"graded {written}\n" in shown_live(grade)
    assert f" {written} " in shown_in_table(grade)


def test_a_medal_on_synthetic_data_is_marked_live_and_in_the_table() -> None:
    made_up, real = (make_grade("apple", 0.95, data_source=source) for source in ("synthetic", "kaggle"))
    assert shown_live(made_up).endswith("graded 0.95, gold (synthetic)\n")
    assert "gold (synthetic)" in shown_in_table(made_up)
    assert shown_live(real).endswith("graded 0.95, gold\n")
    assert "synthetic" not in shown_in_table(real)
