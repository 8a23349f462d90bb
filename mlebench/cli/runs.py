"""`mlebench runs`: what runs there are and how their attempts stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlebench.cli.app import app
from mlebench.cli.options import JsonOption, RunsDirOption

if TYPE_CHECKING:
    from mlebench.gateway.api import Usage
    from mlebench.running.records import Attempt
    from mlebench.running.store import Run

runs_app = typer.Typer(
    name="runs",
    help="Look at runs and handle them: list, show, watch, logs, stop, resume, rm, bundle.",
    no_args_is_help=True,
)
app.add_typer(runs_app)

RunArgument = Annotated[str, typer.Argument(help="A run's name or folder.")]


@runs_app.command("list")
def list_runs(runs_dir: RunsDirOption = Path("runs"), as_json: JsonOption = False) -> None:
    """List the runs of a folder, oldest first, with how far each came."""
    from mlebench.cli import render
    from mlebench.running.store import load_run, run_folders
    from mlebench.text import synthetic_part

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
        medals = f"{facts['medals']}{synthetic_part(facts['synthetic_medals'], facts['medals'])}"
        cells = (run.folder.name, agent, run.config.sandbox, created, done, medals, facts["failed"])
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
    for line in _about(run):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    out.print(attempts_table([_with_live(run, attempt) for attempt in run.attempts]))
    for line in complaints(run.attempts):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def complaints(attempts: list[Attempt]) -> list[str]:
    """One line for each attempt about which there is something to say: why it ended as it did, what is wrong with its file."""
    told = ((one.id, one.message or (one.grade.message if one.grade else None)) for one in attempts)
    return [f"{name}: {message}" for name, message in told if message]


def _with_live(run: Run, attempt: Attempt) -> Attempt:
    """The attempt with what its runner noted lately, while its agent runs."""
    from mlebench.running.live import read_live

    live = read_live(run.folder / attempt.id) if attempt.state == "running" else None
    if live is None:
        return attempt
    found = {"usage": live.usage, "telemetry": live.telemetry, "validations": live.validations}
    return attempt.model_copy(update=found)


def _about(run: Run) -> list[str]:
    """What was asked for, as far as it is not the ordinary."""
    from mlebench.duration import format_duration
    from mlebench.running.lock import holder

    config = run.config
    pid = holder(run.folder)
    lines = [
        f"{config.name}: {config.agent} in the {config.sandbox} sandbox, edition {config.edition}, {run.folder}",
        f"time {format_duration(config.time_limit_seconds)} each, {config.concurrency} at a time, "
        + (f"driven by process {pid}" if pid is not None else "nobody drives it now"),
    ]
    if config.model is not None:
        roles = [f"{role}={model}" for role, model in config.role_models.items()]
        limits = {"$": config.budget_usd, "tokens": config.budget_tokens, "calls": config.budget_calls}
        budgets = [f"{limit:g} {what}" for what, limit in limits.items() if limit is not None]
        budget = f", at most {', '.join(budgets)} each" if budgets else ""
        replay = f", {config.replay.value}" if config.replay_dir else ""
        lines.append(f"model {', '.join([config.model, *roles])}{budget}{replay}")
    if config.network != "none":
        lines.append(f"network: {config.network}")
    return lines


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
    """Attempts and how they fared, as a rich table; columns that no attempt has anything for are left out."""
    from rich.table import Table

    from mlebench import text
    from mlebench.cli import render
    from mlebench.running.records import State

    def row(one: Attempt) -> dict[str, str]:
        grade, usage, telemetry = one.grade, one.usage, one.telemetry
        return {
            "Competition": one.competition,
            "Seed": str(one.seed),
            "End": one.end.value if one.end else "",
            "Outcome": grade.outcome.value if grade else ("" if one.state is State.DONE else one.state.value),
            "Score": render.number(grade.score if grade else None),
            "Medal": text.medal(grade.medal, synthetic=grade.synthetic) if grade else "",
            "Time": _took(one),
            "Tries": str(one.tries) if one.tries > 1 else "",
            "Calls": str(usage.calls) if usage else "",
            "Tokens": count(usage.tokens_in + usage.tokens_out) if usage else "",
            "Cost": cost(usage) if usage else "",
            "Checks": str(one.validations) if one.validations else "",
            "Snapshots": str(len(one.snapshots)) if one.snapshots else "",
            "GPUs": str(len(one.share.gpus)) if one.share and one.share.gpus else "",
            "GPU use": f"{telemetry.utilisation_mean:.0f} %" if telemetry and telemetry.utilisation_mean else "",
        }

    rows = [row(one) for one in attempts]
    always = ("Competition", "Seed", "End", "Outcome", "Score", "Medal")
    table = Table(title=f"{len(attempts)} attempts", title_justify="left")
    headings = [heading for heading in (rows[0] if rows else ()) if heading in always or any(r[heading] for r in rows)]
    for heading in headings:
        right = heading in (
            "Seed",
            "Score",
            "Time",
            "Tries",
            "Calls",
            "Tokens",
            "Cost",
            "Checks",
            "Snapshots",
            "GPU use",
        )
        table.add_column(heading, overflow="fold", justify="right" if right else "left")
    for cells in rows:
        table.add_row(*(cells[heading] for heading in headings))
    return table


def count(number: int) -> str:
    """A number of tokens in three digits: 950, 12.3k, 4.56M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def cost(usage: Usage) -> str:
    """What model calls cost; a question mark where a price is not known."""
    if usage.usd is None:
        return "?"
    return f"${usage.usd:.2f}" if usage.usd >= 0.1 or usage.usd == 0 else f"${usage.usd:.2g}"


def _took(attempt: Attempt) -> str:
    from mlebench.duration import format_duration

    if attempt.started_at is None or attempt.ended_at is None:
        return ""
    return format_duration((attempt.ended_at - attempt.started_at).total_seconds())


def _summary(run: Run) -> dict[str, Any]:
    from mlebench.running.records import State

    medals = [one.grade for one in run.attempts if one.grade is not None and one.grade.medal is not None]
    return {
        "name": run.config.name,
        "folder": str(run.folder),
        "agent": run.config.agent,
        "sandbox": run.config.sandbox,
        "created_at": run.created_at.isoformat(),
        "attempts": len(run.attempts),
        **{state.value: sum(one.state is state for one in run.attempts) for state in State},
        "medals": len(medals),
        "synthetic_medals": sum(grade.synthetic for grade in medals),
        "failed": sum(one.failed for one in run.attempts),
    }
