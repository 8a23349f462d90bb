"""What a check found out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Something people often want does not work, or less well; nothing is broken."""
    PROBLEM = "problem"
    """Something that was set up does not work; the command exits with 1."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    level: Level
    title: str
    """What was looked at."""
    detail: str
    """What was found. Never holds a secret."""
    advice: str = ""
    """The next step; empty when there is nothing to do."""


def ok(title: str, detail: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, title, detail)


def warning(title: str, detail: str, advice: str) -> Finding:
    """Works, but not all of it or not well."""
    return Finding(Level.WARNING, title, detail, advice)


def problem(title: str, detail: str, advice: str) -> Finding:
    """Does not work."""
    return Finding(Level.PROBLEM, title, detail, advice)
