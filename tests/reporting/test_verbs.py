"""`mlebench report` and `mlebench leaderboard` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_runs import make_attempt, make_grade, make_run
from typer.testing import CliRunner, Result

from mlebench.cli import verbs  # noqa: F401
from mlebench.cli.app import app
from mlebench.errors import UsageError
from mlebench.registry import Registry
from mlebench.running.store import RunStore


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def runs_dir(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLEBENCH_COMPETITIONS_DIR", str(registry.dirs[-1]))
    folder = tmp_path / "runs"
    for name, score in (("one", 0.9), ("two", 0.2)):
        run = make_run([make_attempt("apple", seed, make_grade("apple", score)) for seed in (0, 1)], name=name)
        RunStore.create(folder / name, run.config, run.attempts).close()
    return folder


def test_report_on_the_terminal_and_in_html(runs_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    shown = call("report", "one", runs_dir / "two", "--runs-dir", runs_dir, "--html", page)
    assert shown.exit_code == 0
    assert "100.0 ± 0.0" in shown.output and "one" in shown.output and "two" in shown.output
    assert "<!doctype html>" in page.read_text()
    assert "--html" in call("report", "one", "--runs-dir", runs_dir).output


def test_a_time_limit_reads_alike_in_every_view(runs_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    for command in (("report", "one", "--html", page), ("runs", "show", "one")):
        assert "24 h each" in call(*command, "--runs-dir", runs_dir).output
    assert "24 h each" in page.read_text()


def test_lists_of_runs_say_which_medals_are_on_synthetic_data(runs_dir: Path) -> None:
    grades = [make_grade("apple", 0.9, data_source="synthetic"), make_grade("apple", 0.9)]
    for name, of in (("three", grades), ("four", grades[:1])):
        run = make_run([make_attempt("apple", seed, grade) for seed, grade in enumerate(of)], name=name)
        RunStore.create(runs_dir / name, run.config, run.attempts).close()
    shown = call("runs", "list", "--runs-dir", runs_dir).output
    medals = {cells[1].strip(): cells[6].strip() for line in shown.splitlines() if len(cells := line.split("│")) > 6}
    assert medals == {"one": "2", "two": "0", "three": "2 (1 synthetic)", "four": "1 (synthetic)"}
    listed = json.loads(call("runs", "list", "--runs-dir", runs_dir, "--json").output)
    assert {one["name"]: one["synthetic_medals"] for one in listed} == {"one": 0, "two": 0, "three": 1, "four": 1}
    assert "gold (synthetic)" in call("runs", "show", "four", "--runs-dir", runs_dir).output


def test_report_on_the_terminal_marks_medals_on_synthetic_data(runs_dir: Path) -> None:
    grades = (make_grade("apple", 0.9, data_source="synthetic"), make_grade("mine", 0.9))
    run = make_run([make_attempt(grade.competition, 0, grade) for grade in grades], name="three")
    RunStore.create(runs_dir / "three", run.config, run.attempts).close()
    shown = call("report", "three", "--runs-dir", runs_dir).output
    assert "three (synthetic data in 1 of 2)" in shown
    assert "Low (synthetic)" in shown and "Own competitions ┃" in shown and "Whole run (1 synthetic)" in shown
    assert "1 gold (synthetic)" in shown and "│ 1 gold  " in shown


def test_report_as_json(runs_dir: Path) -> None:
    one = json.loads(call("report", "one", "--runs-dir", runs_dir, "--json").output)
    assert one["total_gold_medals"] == 2 and one["report"]["run"]["name"] == "one"
    both = json.loads(call("report", "one", "two", "--runs-dir", runs_dir, "--json").output)
    assert [document["total_medals"] for document in both] == [2, 0]


def test_report_refuses_what_it_does_not_know(runs_dir: Path) -> None:
    with pytest.raises(UsageError, match="no run 'three'"):
        call("report", "three", "--runs-dir", runs_dir)
    with pytest.raises(UsageError, match="--missing"):
        call("report", "one", "--runs-dir", runs_dir, "--missing", "maybe")


def test_leaderboard_places_a_score(runs_dir: Path) -> None:
    shown = call("leaderboard", "apple", "--score", "0.75").output
    assert "bronze medal, above the median" in shown
    assert "about rank 30 of 100 (between 21 and 40), percentile 71.0" in shown
    assert "◆" in shown
    placed = json.loads(call("leaderboard", "apple", "--score", "0.75", "--json").output)
    assert placed["standing"]["rank_high"] == 40 and placed["gold"] == 0.9 and placed["rank_table"]
    assert json.loads(call("leaderboard", "apple", "--json").output)["standing"] is None


def test_leaderboard_does_not_invent_a_percentile(runs_dir: Path, registry: Registry) -> None:
    (registry.get("apple").folder / "leaderboard.csv").unlink()
    assert "unknown: no rank table" in call("leaderboard", "apple", "--score", "0.9").output
    placed = json.loads(call("leaderboard", "apple", "--score", "0.9", "--json").output)["standing"]
    assert placed["percentile"] is placed["rank"] is None and placed["medal"] == "gold"


@pytest.mark.parametrize("score", ["nan", "inf", "-inf"])
def test_leaderboard_refuses_scores_that_are_no_numbers(runs_dir: Path, score: str) -> None:
    with pytest.raises(UsageError, match="finite"):
        call("leaderboard", "apple", "--score", score)
