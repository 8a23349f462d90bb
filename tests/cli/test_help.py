"""Every help page shows what the code declares: rich markup swallows words in brackets without a word of complaint."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_tree import Command, commands
from typer.testing import CliRunner

from mlebench.cli.app import app
from mlebench.registry import Registry

_FRAME = re.compile(r"[│╭╮╰╯─]")


def _words(text: str) -> str:
    """The text with its words one space apart, without the frames that help draws."""
    return " ".join(_FRAME.sub(" ", text.replace("`", "")).split())


def _page(command: Command, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "500")  # one line for each option, so that no sentence is torn apart
    done = CliRunner().invoke(app, [*command.words, "--help"])
    assert done.exit_code == 0, done.output
    return _words(done.output)


@pytest.mark.parametrize("command", commands(), ids=str)
def test_help_shows_every_declared_text(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    page = _page(command, monkeypatch)
    texts = [command.click.help or "", *(getattr(one, "help", None) or "" for one in command.shown_parameters)]
    texts += [one.click.get_short_help_str(limit=1000) for one in commands() if one.words[:-1] == command.words]
    assert all(texts), "an option without a help text"
    for text in texts:
        for paragraph in text.split("\n\n"):
            assert _words(paragraph) in page


def test_groups_name_all_of_their_verbs() -> None:
    (runs,) = [one for one in commands() if one.words == ("runs",)]
    named = runs.click.help.partition(": ")[2].rstrip(".").split(", ")
    assert sorted(named) == sorted(runs.click.commands)


def test_help_is_right_that_no_competition_has_a_mended_edition() -> None:
    assert [one.id for one in Registry().all() if "v2" in one.facts.editions] == []


def test_info_does_not_speak_of_an_edition_that_is_not_there() -> None:
    shown = " ".join(CliRunner().invoke(app, ["info", "spaceship-titanic"]).output.split())
    assert "editions v1 " in shown and "a v2 would mend it (there is none yet): Whole groups" in shown


@pytest.mark.parametrize("variable", ["MLEBENCH_DATA_DIR", "MLE_BENCH_DATA_DIR"])
def test_variables_that_help_names_are_heeded(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = next(one for one in commands() if one.words == ("disk",))
    assert variable in _page(disk, monkeypatch) and "MLEBENCH_COMPETITIONS_DIR" in _page(disk, monkeypatch)
    monkeypatch.delenv("MLEBENCH_DATA_DIR")
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    used = json.loads(CliRunner().invoke(app, ["disk", "--json"]).output)
    assert used["data_dir"] == str(tmp_path / "here")
