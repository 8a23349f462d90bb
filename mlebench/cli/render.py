"""What people see: rich tables on a terminal, plain JSON when asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    from mlebench import text

    return text.number(value, unknown=unknown)


def size(count: float) -> str:
    """Bytes in the unit people read."""
    from mlebench.text import size as text

    return text(count)


def checksum_word(verified: bool | None) -> str:
    """What to add to prepared data about its published checksums."""
    return {True: ", published checksums hold", False: ", published checksums differ", None: ""}[verified]


def escape(text: str) -> str:
    """Text from elsewhere, safe to print as rich markup: brackets are taken literally, control bytes are shown."""
    from rich.markup import escape as markup

    return markup("".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text))


@contextmanager
def progress(console: Console, title: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal (nothing elsewhere); call what it yields once per finished item."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
