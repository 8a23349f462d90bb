"""The commands that the documentation shows: they parse, and what they name is there. None of them is run."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from command_tree import commands
from shown_commands import Shown, shown_commands

from mlebench.agents.agent import load_agent
from mlebench.agents.images import recipe_for
from mlebench.cli import verbs  # noqa: F401  (importing it registers every verb)
from mlebench.cli.app import app
from mlebench.duration import parse_duration
from mlebench.gateway.providers import load_providers, split_reference
from mlebench.registry import SPLITS, Registry

SHOWN = shown_commands()
OWN_COMPETITIONS = {one.words[2] for one in SHOWN if one.words[:2] == ("competitions", "new") and len(one.words) > 2}
OWN_AGENTS = {f"./{one.words[2]}" for one in SHOWN if one.words[:2] == ("agents", "new") and len(one.words) > 2}
GROUPS = {one.words for one in commands() if hasattr(one.click, "commands")}
DURATIONS = ("time_limit", "grace", "budget_grace", "at")


def parse(words: tuple[str, ...]) -> dict[str, Any]:
    """Have the command line read the words as ever, but only keep what it would have called the verb with."""
    called: dict[str, Any] = {}
    root = typer.main.get_command(app)

    def muted(command: Any) -> None:
        for child in getattr(command, "commands", {}).values():
            muted(child)
        if not hasattr(command, "commands"):
            command.callback = lambda **values: called.update(values)

    muted(root)
    with pytest.raises(SystemExit) as ended:
        root.main(args=list(words), prog_name="mlebench")
    called["exit code"] = ended.value.code
    return called


def require_competitions(values: dict[str, Any]) -> None:
    known = {*Registry().ids(), *(OWN_COMPETITIONS if values.get("competitions_dir") else ())}
    one_or_many = [values.get(key) or [] for key in ("ids", "competition")]
    names = {name for some in one_or_many for name in ([some] if isinstance(some, str) else some)}
    names |= {re.sub(r"-s\d+$", "", attempt) for attempt in values.get("attempts") or []}
    for name in names:
        shortened = name.endswith("-") and any(one.startswith(name) for one in known)  # nomad2018-...
        assert name in known or shortened, f"There is no competition {name!r}."
    assert values.get("split") in (None, *SPLITS)


def require_agents(values: dict[str, Any]) -> None:
    for name in [*filter(None, [values.get("agent")]), *(values.get("agents") or [])]:
        assert name in OWN_AGENTS or recipe_for(name) or load_agent(name)
    for option in values.get("option") or []:
        assert option.partition("=")[0] in load_agent(values["agent"]).facts.options
    for model in [values["model"]] if isinstance(values.get("model"), str) else values.get("model") or []:
        role, equals, reference = model.rpartition("=")
        assert split_reference(reference)[0] in load_providers() or reference.startswith("scripted/")
        if equals:
            assert role in load_agent(values["agent"]).facts.models.roles


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_a_shown_command_parses(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    if not shown.whole and shown.words in GROUPS:
        return  # a sentence about `mlebench runs` names a group of verbs
    values = parse(shown.words)
    complaint = capsys.readouterr().err
    if not shown.whole and "Missing argument" in complaint:
        return  # a sentence about `mlebench info` or `mlebench report --at 6h` leaves out what is obvious
    assert values["exit code"] in (0, None), complaint
    require_competitions(values)
    require_agents(values)
    for limit in DURATIONS:
        if values.get(limit):
            parse_duration(values[limit])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("run", "--agent", "baseline", "practice-digits"), "unexpected extra argument"),
        (("prepare", "--soruce", "synthetic"), "No such option"),
        (("mirror", "export", "there", "--what", "everything"), "everything"),
        (("run", "-n", "some"), "valid integer"),
        (("shwo",), "No such command"),
        (("info",), "Missing argument"),
    ],
)
def test_what_does_not_parse_is_noticed(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse(words)["exit code"] == 2
    assert complaint in capsys.readouterr().err


def test_every_verb_is_shown_somewhere() -> None:
    leaves = {one.words for one in commands()} - GROUPS
    shown = {one.words[:length] for one in SHOWN for length in (1, 2)}
    assert leaves - shown - {("leaderboard", "show")} == set()  # that one is shown without its word
    assert len({one.text for one in SHOWN}) > 100
