"""All commands of `mlebench`, as click knows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import typer

from mlebench.cli import verbs  # noqa: F401  (importing it registers every verb)
from mlebench.cli.app import app


@dataclass(frozen=True)
class Command:
    """One command or group of commands."""

    words: tuple[str, ...]
    """How it is called, after `mlebench`."""
    click: Any

    def __str__(self) -> str:
        return " ".join(("mlebench", *self.words))

    @property
    def shown_parameters(self) -> list[Any]:
        """Its arguments and options, without the hidden ones."""
        return [one for one in self.click.params if not getattr(one, "hidden", False)]


@cache
def commands() -> list[Command]:
    """The root and everything below it."""
    return list(_below(Command((), typer.main.get_command(app))))


def _below(command: Command) -> Any:
    yield command
    for name, child in getattr(command.click, "commands", {}).items():
        yield from _below(Command((*command.words, name), child))
