"""What people see: rich tables on a terminal, plain JSON when asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A console that keeps tables readable when the output is not a terminal."""
    from rich.console import Console

    probe = Console(stderr=stderr, highlight=False)
    return probe if probe.is_terminal else Console(stderr=stderr, highlight=False, width=max(probe.width, 120))


def print_json(value: Any) -> None:
    """Print a value as indented JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def number(value: float | None, *, unknown: str = "-") -> str:
    """A score with up to 5 decimals and no trailing zeros."""
    return unknown if value is None else f"{value:.5f}".rstrip("0").rstrip(".")
