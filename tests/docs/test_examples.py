"""The Python examples of the documentation, run as they stand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.registry import Registry

DOCS = Path(__file__).parents[2] / "docs"


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_grading_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = python_blocks("grading.md")
    competition = Registry().get("spaceship-titanic")
    prepare_competition(competition, DataDir.locate(), SourceRequest("synthetic"))
    sample = DataDir.locate().paths(competition.id).public / "sample_submission.csv"
    shutil.copy(sample, tmp_path / "submission.csv")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    score, medal, outcome, message = capsys.readouterr().out.split()
    assert 0 < float(score) < 1 and outcome == "graded" and message == "None" and medal
