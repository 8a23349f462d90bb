"""`mlebench doctor`: is this machine fit, and what is the next step where it is not?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, DataDirOption, JsonOption, SplitOption, data_dir, registry

if TYPE_CHECKING:
    from mlebench.doctor.finding import Finding


@app.command("doctor")
def doctor(
    kaggle: Annotated[
        bool, typer.Option("--kaggle", help="Also ask Kaggle which competitions this account may download.")
    ] = False,
    split: SplitOption = None,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at Python, packages, engine, GPUs, disk, data, credentials and keys; say what to do next.

    `--split` narrows what Kaggle is asked about. Exit code 1 on a problem; warnings are no problems.
    """
    from dataclasses import asdict

    from mlebench.cli import render
    from mlebench.cli.downloads import stoppable, teller
    from mlebench.doctor.checks import all_checks
    from mlebench.doctor.examine import examine
    from mlebench.doctor.finding import Level

    ids = []
    if kaggle:
        known = registry(competitions_dir)
        chosen = known.select((), split) if split else known.all()
        ids = [one.id for one in chosen if "kaggle" in one.facts.data.sources and one.facts.group != "own"]
    console = render.console(stderr=True)
    with stoppable(console, "Nothing was changed."):
        findings = examine(all_checks(data_dir(data_dir_option), ids, teller(console)))
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        render.print_json({"findings": found, "problems": problems, "warnings": warnings})
    else:
        _show(findings, problems, warnings)
    if problems:
        sys.exit(1)


def _show(findings: list[Finding], problems: int, warnings: int) -> None:
    from rich.table import Table

    from mlebench.cli import render

    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        text = render.escape(finding.detail)
        if finding.advice:
            text += f"\n[bold]->[/bold] {render.escape(finding.advice)}"
        colour = colours[finding.level]
        table.add_row(f"[{colour}]{finding.level}[/{colour}]", f"[bold]{render.escape(finding.title)}[/bold]", text)
    console = render.console()
    console.print(table)
    words = [
        f"{count} {word}{'s' if count != 1 else ''}" for count, word in ((problems, "problem"), (warnings, "warning"))
    ]
    console.print(f"\n{', '.join(words)}")
