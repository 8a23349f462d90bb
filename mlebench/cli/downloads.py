"""How downloads are shown: a bar for each and one for all on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from mlebench.cli import render
from mlebench.data.kaggle.errors import Problem
from mlebench.data.kaggle.watch import Watch

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from mlebench.data.kaggle.rules import RuleStatus

LINE_EVERY = 30.0
"""Seconds between two lines about one download where there is no terminal."""


def show_rules(ids: Sequence[str], as_json: bool) -> bool:
    """Ask Kaggle about each competition and print what can be downloaded; whether all of them can.

    Nothing is asked, and nobody needs credentials, where none of them comes from Kaggle.
    """
    from dataclasses import asdict

    from mlebench.data.kaggle import check_rules

    aside = render.console(stderr=True)
    statuses = check_rules(ids, tell=teller(aside)) if ids else []
    if not ids:
        aside.print("None of these competitions comes from Kaggle: there are no rules to accept.")
    if as_json:
        render.print_json([{**asdict(one), "available": one.available} for one in statuses])
    else:
        console = render.console()
        for one in statuses:
            size = f" ({render.size(one.bytes)})" if one.bytes else ""
            word = f"[green]can be downloaded[/green]{size}" if one.available else f"[red]{one.problem}[/red]"
            console.print(f"[bold]{one.competition}[/bold]: {word}")
        _list_pages(console, statuses)
    return all(one.available for one in statuses)


def refuse_or_skip(
    console: Console, loads: Sequence[str], asked: int, *, skip: bool
) -> tuple[dict[str, str], dict[str, int | None]]:
    """Before anything is downloaded: what Kaggle will not give (id -> why), and the sizes of what it will.

    Without `skip` a DataError when it will not give all; the pages to open are printed as one list.
    """
    from mlebench.data.kaggle import check_rules, find_credentials
    from mlebench.errors import DataError

    if (credentials := find_credentials()) is not None:
        console.print(f"Kaggle: asking with the {render.escape(str(credentials))}")
    statuses = check_rules(loads, tell=teller(console))
    lacking = {one.competition: one.message for one in statuses if not one.available}
    if lacking and asked == 1 and not skip:
        raise DataError(next(iter(lacking.values())))
    if lacking:
        _list_pages(console, statuses)
        if not skip:
            raise DataError(
                f"{len(lacking)} of {len(loads)} competitions cannot be downloaded yet: open the pages above, or leave "
                "them out with --skip-unavailable."
            )
    return lacking, {one.competition: one.bytes for one in statuses if one.available}


def teller(console: Console) -> Callable[[str], None]:
    """Prints a line about what is waited for."""
    return lambda text: console.print(render.escape(text))


@contextmanager
def stoppable(
    console: Console, kept: str = "Nothing is half-made: run the same command again to go on."
) -> Iterator[None]:
    """Ctrl-C ends with a sentence instead of nothing."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"Interrupted. {kept}")
        raise typer.Exit(130) from None


def _list_pages(console: Console, statuses: Sequence[RuleStatus]) -> None:
    for problem in dict.fromkeys(one.problem for one in statuses if one.problem):
        some = [one for one in statuses if one.problem is problem]
        if problem is Problem.RULES:
            console.print(
                "Open this page and accept the rules:"
                if len(some) == 1
                else f"Open these {len(some)} pages and accept the rules:"
            )
            for one in some:
                console.print(f"  {one.page}", soft_wrap=True)
        else:
            for one in some:
                console.print(f"  {render.escape(one.message)}")


@contextmanager
def shown(console: Console, sizes: Mapping[str, int | None]) -> Iterator[Watch]:
    """A Watch that draws on the console; `sizes` are the zips that will be downloaded."""
    if not sizes:
        yield Watch(note=lambda name, text: console.print(f"{name}: {render.escape(text)}"))
    elif console.is_terminal:
        with _bars(console, sizes) as watch:
            yield watch
    else:
        yield _lines(console, sizes)


@contextmanager
def _bars(console: Console, sizes: Mapping[str, int | None]) -> Iterator[Watch]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(24), DownloadColumn(), TransferSpeedColumn())
    left = (TimeRemainingColumn(elapsed_when_finished=True), TextColumn("{task.fields[note]}"))
    with Progress(*columns, *left, console=console, transient=True, speed_estimate_period=20) as progress:
        known = sum(size or 0 for size in sizes.values())
        everything = progress.add_task("all downloads", total=known or None, note="", visible=len(sizes) > 1)
        tasks: dict[str, TaskID] = {}

        def begin(name: str, here: int, total: int | None) -> None:
            if name in tasks:
                progress.update(tasks[name], total=total)
            else:
                tasks[name] = progress.add_task(name, total=total, completed=here, note="")
                progress.update(everything, advance=here)

        def advance(name: str, count: int) -> None:
            progress.update(tasks[name], advance=count, note="")
            progress.update(everything, advance=count)

        def end(name: str, whole: bool) -> None:
            if name in tasks:
                progress.remove_task(tasks.pop(name))

        yield Watch(begin, advance, _noted(lambda name: tasks.get(name), progress, console), end)


def _noted(task_of: Callable[[str], Any], progress: Any, console: Console) -> Callable[[str, str], None]:
    def note(name: str, text: str) -> None:
        task = task_of(name)
        if task is None:
            console.print(f"{name}: {render.escape(text)}")
        else:
            progress.update(task, note=f"[yellow]{render.escape(text)}[/yellow]")

    return note


def _lines(console: Console, sizes: Mapping[str, int | None]) -> Watch:
    lock = threading.Lock()
    meters: dict[str, _Meter] = {}
    everything = _Meter(0, sum(size or 0 for size in sizes.values()) or None)

    def begin(name: str, here: int, total: int | None) -> None:
        with lock:
            new = name not in meters
            meters[name] = _Meter(here, total)
            if new:
                everything.here += here
                everything.start += here
        if new:
            start = f", {render.size(here)} of it are here" if here else ""
            console.print(f"{name}: downloading {render.size(total) if total else 'a zip of unknown size'}{start}")

    def advance(name: str, count: int) -> None:
        with lock:
            meter = meters[name]
            meter.here += count
            everything.here += count
            due = time.monotonic() - meter.told >= LINE_EVERY
            if due:
                meter.told = time.monotonic()
        if due:
            together = f"; all: {everything}" if len(sizes) > 1 else ""
            console.print(f"{name}: {meter}{together}")

    def end(name: str, whole: bool) -> None:
        with lock:
            meter = meters.get(name)
        if whole and meter is not None and meter.here > meter.start:
            console.print(f"{name}: downloaded {render.size(meter.here)} ({render.size(meter.speed)}/s)")

    return Watch(begin, advance, lambda name, text: console.print(f"{name}: {render.escape(text)}"), end)


class _Meter:
    """Bytes, speed and the time left of something that is being downloaded."""

    def __init__(self, here: int, total: int | None) -> None:
        self.here = self.start = here
        self.total = total
        self.began = self.told = time.monotonic()

    @property
    def speed(self) -> float:
        """Bytes a second since the beginning."""
        return (self.here - self.start) / max(1e-3, time.monotonic() - self.began)

    def __str__(self) -> str:
        if not self.total:
            return f"{render.size(self.here)}, {render.size(self.speed)}/s"
        left = (self.total - self.here) / self.speed if self.speed > 0 else 0
        return (
            f"{render.size(self.here)} of {render.size(self.total)} ({100 * self.here // self.total} %), "
            f"{render.size(self.speed)}/s, {_clock(left)} left"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
