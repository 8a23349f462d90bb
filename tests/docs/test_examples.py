"""The Python examples of the documentation, run as they stand."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mlebench.competition import Answers, Columns, Data, Facts, Issue, Metric, Submission
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


def test_the_recipe_of_a_new_competition(tmp_path: Path) -> None:
    (recipe,) = python_blocks("adding-a-competition.md")
    names: dict[str, Any] = {}
    exec(recipe, names)
    raw, public, private = (tmp_path / name for name in ("raw", "public", "private"))
    for folder in (raw, public, private):
        folder.mkdir()
    (raw / "train.csv").write_text("Id,Area,SalePrice\n" + "".join(f"{i},{i * 10},{i * 1000}\n" for i in range(50)))
    names["prepare"](raw, public, private)
    assert (public / "test.csv").read_text().startswith("Id,Area\n")
    assert (private / "test.csv").read_text().startswith("Id,SalePrice\n")


def test_the_facts_of_a_new_competition() -> None:
    page = (DOCS / "adding-a-competition.md").read_text(encoding="utf-8")
    (facts,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert Facts.model_validate(tomllib.loads(facts)).id == "house-prices"


def test_every_key_of_a_competition_is_explained() -> None:
    page = (DOCS / "adding-a-competition.md").read_text(encoding="utf-8")
    tables = {"": "", "submission": "", "submission.columns": "", "metric": "", "answers": "", "data": "", "issues": ""}
    section = ""
    for line in page.partition("### Every key")[2].partition("\n## ")[0].splitlines():
        if heading := re.match(r"\| \*\*`\[+([a-z.]+)\]+`\*\*", line):
            section = heading[1]
        tables[section] += line.partition(" | ")[0] + "\n"
    models = (Facts, Submission, Columns, Metric, Answers, Data, Issue)
    for name, model in zip(tables, models, strict=True):
        parts = {part.rpartition(".")[2] for part in tables if part.rpartition(".")[0] == name}
        for key in set(model.model_fields) - parts:
            assert re.search(rf"`{key}\b", tables[name]), f"[{name}] {key} is not in the table"
