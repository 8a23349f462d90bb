"""`mlebench runs`: what runs there are, how their attempts stand, what an agent printed."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.app import app
from mlebench.cli.options import JsonOption, RunsDirOption

if TYPE_CHECKING:
    from mlebench.running.records import Attempt
    from mlebench.running.store import Run

runs_app = typer.Typer(name="runs", help="Look at runs: list, show, logs.", no_args_is_help=True)
app.add_typer(runs_app)

RunArgument = Annotated[str, typer.Argument(help="A run's name or folder.")]


@runs_app.command("list")
def list_runs(runs_dir: RunsDirOption = Path("runs"), as_json: JsonOption = False) -> None:
    """List the runs of a folder, oldest first, with how far each came."""
    from mlebench.cli import render
    from mlebench.running.store import load_run, run_folders

    found = sorted((load_run(folder, runs_dir) for folder in run_folders(runs_dir)), key=lambda run: run.created_at)
    if as_json:
        render.print_json([_summary(run) for run in found])
        return
    from rich.table import Table

    table = Table(title=f"{len(found)} runs in {runs_dir}", title_justify="left")
    for heading in ("Run", "Agent", "Sandbox", "Created", "Done", "Medals", "Without result"):
        table.add_column(heading, overflow="fold")
    for run in found:
        facts = _summary(run)
        agent = Path(run.config.agent).name
        done = f"{facts['done']} of {facts['attempts']}"
        created = f"{run.created_at:%Y-%m-%d %H:%M}"
        cells = (run.folder.name, agent, run.config.sandbox, created, done, facts["medals"], facts["failed"])
        table.add_row(*(str(cell) for cell in cells))
    render.console().print(table)


@runs_app.command("show")
def show(name: RunArgument, runs_dir: RunsDirOption = Path("runs"), as_json: JsonOption = False) -> None:
    """Show a run's attempts: where each stands, how it ended, its score and medal."""
    from mlebench.cli import render
    from mlebench.running.store import load_run

    run = load_run(name, runs_dir)
    if as_json:
        render.print_json(run_json(run))
        return
    out = render.console()
    config = run.config
    out.print(
        f"{config.name}: {config.agent} in the {config.sandbox} sandbox, edition {config.edition}, {run.folder}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    out.print(attempts_table(run.attempts))
    for attempt in run.attempts:
        message = attempt.message or (attempt.grade.message if attempt.grade else None)
        if message:
            out.print(f"{attempt.id}: {message}", markup=False, highlight=False, soft_wrap=True)


@runs_app.command("logs")
def logs(
    name: RunArgument,
    attempt: Annotated[str, typer.Argument(help="An attempt id, <competition>-s<seed>.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the agent ends.")] = False,
    events: Annotated[bool, typer.Option("--events", help="What happened to the attempt instead.")] = False,
    runs_dir: RunsDirOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Print what an agent printed, or with --events what happened to its attempt."""
    from mlebench.cli import render
    from mlebench.running.events import read_events
    from mlebench.running.folders import AttemptFolder
    from mlebench.running.store import RunStore, resolve_run

    with RunStore(resolve_run(name, runs_dir)) as store:
        folder = AttemptFolder(store.folder / store.attempt(attempt).id)
        if events:
            found = list(read_events(folder.events))
            if as_json:
                render.print_json(found)
                return
            for line in found:
                facts = {key: value for key, value in line.items() if key not in ("seq", "at", "event", "prev", "hash")}
                print(line["at"], line["event"], *(f"{key}={value}" for key, value in facts.items()))
            return
        if as_json:
            text = _log_bytes(store.attempt(attempt), folder.agent_log, store.config.sandbox)
            render.print_json({"attempt": attempt, "log": text.decode("utf-8", "replace")})
            return
        shown = 0
        while True:
            record = store.attempt(attempt)
            text = _log_bytes(record, folder.agent_log, store.config.sandbox)
            sys.stdout.buffer.write(text[shown:])
            sys.stdout.buffer.flush()
            shown = max(shown, len(text))
            if not follow or record.state in ("ended", "done"):
                return
            time.sleep(1.0)


def run_json(run: Run) -> dict[str, Any]:
    """A run as JSON: what was asked for, and every attempt."""
    return {
        "folder": str(run.folder),
        "created_at": run.created_at.isoformat(),
        "versions": run.versions,
        "config": run.config.model_dump(mode="json"),
        "attempts": [attempt.shown() for attempt in run.attempts],
    }


def attempts_table(attempts: list[Attempt]) -> Any:
    """Attempts and how they fared, as a rich table."""
    from rich.table import Table

    from mlebench.cli import render
    from mlebench.running.records import State

    table = Table(title=f"{len(attempts)} attempts", title_justify="left")
    for heading in ("Competition", "Seed", "End", "Outcome", "Score", "Medal"):
        table.add_column(heading, overflow="fold", justify="right" if heading in ("Seed", "Score") else "left")
    for one in attempts:
        grade = one.grade
        outcome = grade.outcome.value if grade else ("" if one.state is State.DONE else one.state.value)
        score = render.number(grade.score if grade else None)
        medal = grade.medal.value if grade and grade.medal else ""
        end = one.end.value if one.end else ""
        table.add_row(one.competition, str(one.seed), end, outcome, score, medal)
    return table


def _summary(run: Run) -> dict[str, Any]:
    from mlebench.running.records import State

    return {
        "name": run.config.name,
        "folder": str(run.folder),
        "agent": run.config.agent,
        "sandbox": run.config.sandbox,
        "created_at": run.created_at.isoformat(),
        "attempts": len(run.attempts),
        **{state.value: sum(one.state is state for one in run.attempts) for state in State},
        "medals": sum(one.grade is not None and one.grade.medal is not None for one in run.attempts),
        "failed": sum(one.failed for one in run.attempts),
    }


def _log_bytes(attempt: Attempt, collected: Path, sandbox: str) -> bytes:
    """The collected log, or what the sandbox has of it so far."""
    from mlebench.errors import SandboxError
    from mlebench.running.outputs import AGENT_LOG_BYTES
    from mlebench.sandbox import get_sandbox

    if collected.is_file():
        return collected.read_bytes()
    if attempt.handle is None:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "agent.log"
        try:
            get_sandbox(sandbox).logs(attempt.handle, copy, AGENT_LOG_BYTES)
            return copy.read_bytes()
        except (SandboxError, OSError):
            return b""
