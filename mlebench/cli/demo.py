"""`mlebench demo`: the whole way from data to report on bundled real data, in the user's own commands."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mlebench.cli.app import app


@app.command("demo")
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo's data, run and report go.")] = Path("demo"),
) -> None:
    """Prepare bundled real data, run the baseline agent on it, grade it, write an HTML report.

    Needs no Docker, no Kaggle account and no network; takes about a minute. Every step is an ordinary command,
    which is shown before it runs.
    """
    from mlebench.cli import render

    console = render.console()
    data, runs = folder / "data", folder / "runs"
    name = f"demo-{datetime.now():%Y%m%d-%H%M%S}"
    report = folder / "report.html"
    steps = (
        f"prepare --split practice --data-dir {shlex.quote(str(data))}",
        f"run --agent baseline --split practice --sandbox process --time-limit 10m --name {name} "
        f"--data-dir {shlex.quote(str(data))} --runs-dir {shlex.quote(str(runs))}",
        f"grade {shlex.quote(str(runs / name / 'practice-breast-cancer-s0' / 'submission' / 'submission.csv'))} "
        f"--data-dir {shlex.quote(str(data))}",
        f"report {name} --runs-dir {shlex.quote(str(runs))} --html {shlex.quote(str(report))}",
    )
    for step in steps:
        console.print(f"\n[bold cyan]$ mlebench {step}[/bold cyan]", soft_wrap=True)
        code = _call(shlex.split(step))
        if code:
            raise typer.Exit(code)
    console.print(f"\nOpen [bold]{report.resolve()}[/bold] in a browser.", soft_wrap=True)


def _call(arguments: list[str]) -> int:
    """Run one command of this application and return its exit code."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
