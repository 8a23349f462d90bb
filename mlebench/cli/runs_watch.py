"""`mlebench runs watch`: how the attempts of a run fare, live, beside whoever drives it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.options import RunsDirOption
from mlebench.cli.runs import RunArgument, attempts_table, cost, count, runs_app

if TYPE_CHECKING:
    from mlebench.running.live import Live
    from mlebench.running.records import Attempt
    from mlebench.running.store import Run

_LINE_BYTES = 2000
_SHOWN = 40
"""Attempts in the live table; running ones first."""


@runs_app.command("watch")
def watch(
    name: RunArgument,
    runs_dir: RunsDirOption = Path("runs"),
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
) -> None:
    """Watch a run until all of its attempts are done. Ctrl-C ends the watching, never the run.

    Where the output is no terminal, it is shown once.
    """
    from rich.live import Live as Display

    from mlebench.cli import render
    from mlebench.running.records import State
    from mlebench.running.store import RunStore, load_run, resolve_run
    from mlebench.sandbox import get_sandbox

    folder = resolve_run(name, runs_dir)
    run = load_run(folder, runs_dir)
    sandbox, out = get_sandbox(run.config.sandbox), render.console()

    def last_line(attempt: Attempt) -> str:
        try:
            return _last_line(sandbox.last_output(attempt.handle or "", _LINE_BYTES))
        except Exception:  # an engine that is away, a container that is just being removed
            return ""

    if not out.is_terminal:
        out.print(_view(run, last_line))
        return
    try:
        with Display(console=out, auto_refresh=False, transient=True) as display:
            while any(one.state is not State.DONE for one in run.attempts):
                display.update(_view(run, last_line), refresh=True)
                time.sleep(every)
                done = {one.id: one for one in run.attempts if one.state is State.DONE}
                with RunStore(folder) as store:
                    run = replace(run, attempts=store.attempts(done))
    except KeyboardInterrupt:
        out.print(f"The run {folder.name} goes on without you.", markup=False, highlight=False)
        return
    out.print(attempts_table(run.attempts))


def _view(run: Run, last_line: Callable[[Attempt], str]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from mlebench.running.live import read_live
    from mlebench.running.lock import holder
    from mlebench.running.records import State

    order = {State.RUNNING: 0, State.ENDED: 1, State.QUEUED: 2, State.DONE: 3}
    attempts = sorted(run.attempts, key=lambda one: order[one.state])
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    for heading in ("Attempt", "State", "Left", "Checks", "Snapshots", "Tokens", "Cost", "GPU"):
        right = heading not in ("Attempt", "State")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    table.add_column("Last line", no_wrap=True, overflow="ellipsis", ratio=1, min_width=20)
    for one in attempts[:_SHOWN]:
        live = read_live(run.folder / one.id) if one.state is State.RUNNING else None
        line = last_line(one) if one.state is State.RUNNING and one.handle else ""
        table.add_row(*_cells(one, live), Text(line))
    count_of = {state: sum(one.state is state for one in attempts) for state in State}
    pid = holder(run.folder)
    over = count_of[State.DONE] == len(attempts)
    idle = "it is over" if over else "nobody drives it: mlebench runs resume"
    driven = f"driven by process {pid}" if pid is not None else idle
    head = (
        f"{run.config.name}: {count_of[State.DONE]} of {len(attempts)} done, {count_of[State.RUNNING]} running, "
        f"{count_of[State.ENDED]} being graded, {count_of[State.QUEUED]} queued; {driven}"
    )
    more = [Text(f"and {len(attempts) - _SHOWN} more")] if len(attempts) > _SHOWN else []
    return Group(Text(head), table, *more)


def _cells(one: Attempt, live: Live | None) -> list[str]:
    from mlebench.cli import render
    from mlebench.running.records import State

    usage = live.usage if live is not None else one.usage
    telemetry = live.telemetry if live is not None else one.telemetry
    grade = one.grade
    state = one.state.value
    if one.state is State.RUNNING:
        state = "ending" if one.end is not None else "running" if one.started_at else "starting"
    elif one.state is State.DONE:
        score = f" {render.number(grade.score)}" if grade and grade.score is not None else ""
        state = f"{one.end}{score}"
    gpus = len(one.share.gpus) if one.share is not None else 0
    busy = f" {telemetry.utilisation_mean:.0f} %" if telemetry and telemetry.utilisation_mean is not None else ""
    return [
        one.id,
        state,
        _left(one) if one.state is State.RUNNING else "",
        str(live.validations if live is not None else one.validations or ""),
        str(live.snapshots if live is not None else len(one.snapshots) or ""),
        count(usage.tokens_in + usage.tokens_out) if usage else "",
        cost(usage) if usage else "",
        f"{gpus} x{busy}" if gpus else "",
    ]


def _left(one: Attempt) -> str:
    from mlebench.duration import format_duration

    if one.deadline_at is None:
        return ""
    return format_duration((one.deadline_at - datetime.now(UTC)).total_seconds())


def _last_line(output: bytes) -> str:
    """The last line with something in it, in plain characters; agents print what they like."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return "".join(c if c.isprintable() else " " for c in lines[-1]).strip() if lines else ""
