"""Every help page shows what the code declares: rich markup swallows words in brackets without a word of complaint."""

from __future__ import annotations

import re

import pytest
from command_tree import Command, commands
from typer.testing import CliRunner

from mlebench.cli.app import app

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
