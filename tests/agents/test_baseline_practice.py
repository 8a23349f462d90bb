"""The baseline agent from start to end on the practice competitions' real data, graded as an attempt would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlebench.content import content_dir
from mlebench.data.paths import PreparedPaths
from mlebench.grading.grade import grade_submission
from mlebench.registry import Registry

WANTED = {"practice-digits": 0.95, "practice-breast-cancer": 0.98, "practice-diabetes": 60.0}
"""Scores that the first of the baseline's models reaches already, so a slow machine does not matter."""


@pytest.mark.parametrize("competition_id", WANTED)
def test_clearly_better_than_the_sample(competition_id: str, tmp_path: Path) -> None:
    competition = Registry().get(competition_id)
    paths = PreparedPaths(tmp_path, tmp_path / "prepared")
    for folder in (paths.raw, paths.public, paths.private):
        folder.mkdir(parents=True)
    competition.make_raw(paths.raw)
    competition.prepare(paths.raw, paths.public, paths.private)
    (paths.public / "description.md").write_text(competition.description, encoding="utf-8")
    sample = paths.public / "sample_submission.csv"
    environment = {
        **{name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("LD_")},
        "DATA_DIR": str(paths.public),
        "SUBMISSION_DIR": str(tmp_path / "submission"),
        "CODE_DIR": str(tmp_path / "code"),
        "LOGS_DIR": str(tmp_path / "logs"),
        "SAMPLE_SUBMISSION": str(sample),
        "VALIDATE_URL": "http://127.0.0.1:9/validate",
        "TIME_LIMIT_SECS": "120",
        "SEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    agent = content_dir("agents") / "baseline"
    subprocess.run([sys.executable, "baseline.py"], cwd=agent, env=environment, check=True, capture_output=True)

    report = grade_submission(competition, tmp_path / "submission" / "submission.csv", paths)
    constant = grade_submission(competition, sample, paths)
    assert report.score is not None and constant.score is not None, report.message
    sign = 1 if competition.metric.higher_is_better else -1
    assert sign * report.score > sign * WANTED[competition_id] > sign * constant.score
    summary = json.loads((tmp_path / "logs" / "baseline.json").read_text())
    assert summary["submitted"] >= 1
    assert summary["goals"][0]["cross_validation"]
    assert (tmp_path / "code" / "solver" / "main.py").is_file()
    assert os.listdir(tmp_path / "submission") == ["submission.csv"]
