"""What people see while a run goes on: a live table on a terminal, plain lines elsewhere. All of it on stderr."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlebench import text
from mlebench.duration import format_duration
from mlebench.running.live import read_live
from mlebench.running.records import Attempt, State

if TYPE_CHECKING:
    from rich.console import Console, Group

_SHOWN = 20


class Progress:
    """Observes an executor; a context manager that owns the live display."""

    def __init__(self, console: Console, attempts: list[Attempt], folder: Path) -> None:
        """`folder`: the run's."""
        from rich.live import Live

        self._folder = folder
        self._console = console
        self._attempts = {attempt.id: attempt for attempt in attempts}
        self._live = (
            Live(console=console, get_renderable=self._render, refresh_per_second=2, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self, attempt: Attempt, note: str) -> None:
        """Show one line for a change that people care about."""
        before = self._attempts[attempt.id]
        self._attempts[attempt.id] = attempt
        if attempt.state is before.state and note not in ("started", "adopted") and "failure" not in note:
            return
        if attempt.state is State.ENDED or note.startswith("try "):
            return  # the next change says more
        if self._live is None or attempt.state is State.DONE or "failure" in note:
            done = sum(one.state is State.DONE for one in self._attempts.values())
            clock = f"{datetime.now():%H:%M:%S}"
            self._console.print(
                f"{clock} [{done}/{len(self._attempts)}] {attempt.id}: {_words(attempt, note)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def waiting(self, why: str) -> None:
        """Say why nothing is started."""
        self._console.print(f"{datetime.now():%H:%M:%S} {why}", markup=False, highlight=False, soft_wrap=True)

    def stopping(self, running: int) -> None:
        """Say what happens now and what a second press does."""
        self._console.print(
            f"Stopping {running} running attempts; they will be queued again. "
            "Press Ctrl-C once more to leave at once (agents then run on, and a resume takes them over).",
            markup=False,
            soft_wrap=True,
        )

    def _render(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        attempts = list(self._attempts.values())
        count = {state: sum(one.state is state for one in attempts) for state in State}
        line = f"{count[State.DONE]} done, {count[State.RUNNING]} running, {count[State.ENDED]} being graded, "
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        running = [one for one in attempts if one.state is State.RUNNING]
        for one in running[:_SHOWN]:
            table.add_row("  " + one.id, _clock(one), _spent(self._folder / one.id))
        if len(running) > _SHOWN:
            table.add_row(f"  and {len(running) - _SHOWN} more", "", "")
        return Group(Text(line + f"{count[State.QUEUED]} queued of {len(attempts)} attempts"), table)


def _clock(attempt: Attempt) -> str:
    if attempt.started_at is None or attempt.deadline_at is None:
        return "starting"
    elapsed = (datetime.now(UTC) - attempt.started_at).total_seconds()
    limit = (attempt.deadline_at - attempt.started_at).total_seconds()
    ending = ", ending" if attempt.end is not None else ""
    return f"{format_duration(elapsed)} of {format_duration(limit)}{ending}"


def _spent(folder: Path) -> str:
    """What a running attempt took of its models so far."""
    from mlebench.cli.runs import cost, count

    live = read_live(folder)
    if live is None or live.usage is None:
        return ""
    usage = live.usage
    return f"{count(usage.tokens_in + usage.tokens_out)} tokens, {cost(usage)}"


def _words(attempt: Attempt, note: str) -> str:
    if attempt.state is State.DONE and attempt.grade is not None:
        grade = attempt.grade
        score = "" if grade.score is None else f" {text.number(grade.score)}"
        medal = f", {text.medal(grade.medal, synthetic=grade.synthetic)}" if grade.medal else ""
        why = f": {grade.message}" if grade.message and not grade.valid else ""
        return f"{attempt.end}, {grade.outcome.value}{score}{medal}{why}"
    return note if attempt.state in (State.RUNNING, State.DONE) else f"{attempt.state}: {note}"
