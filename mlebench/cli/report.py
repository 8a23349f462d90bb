"""`mlebench report`: what runs amount to, on the terminal, as JSON or as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, JsonOption, RunsDirOption, registry

if TYPE_CHECKING:
    from mlebench.reporting.model import RunSummary
    from mlebench.reporting.statistics import Missing


@app.command("report")
def report(
    runs: Annotated[list[str], typer.Argument(help="Names of runs, or their folders; several stand side by side.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained HTML page to this file.", show_default=False)
    ] = None,
    missing: Annotated[
        str,
        typer.Option(
            "--missing",
            help="Attempts without a result: failure counts them as earning nothing, available leaves them out, "
            "complete leaves out seeds that have any.",
        ),
    ] = "failure",
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="Report as if every attempt had ended after this long, such as 6h: by its last snapshot then.",
            show_default=False,
        ),
    ] = None,
    runs_dir: RunsDirOption = Path("runs"),
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report medals, validity, failures and standing of one or several runs."""
    from mlebench.cli import render
    from mlebench.duration import parse_duration
    from mlebench.reporting.terminal import print_report

    rule = _missing_rule(missing)
    seconds = parse_duration(at) if at is not None else None
    summaries = [_summarise(name, runs_dir, competitions_dir or [], rule, seconds) for name in dict.fromkeys(runs)]
    if html is not None:
        from mlebench.reporting.html import write_page

        write_page(html, summaries)
    if as_json:
        documents = [summary.to_json() for summary in summaries]
        render.print_json(documents[0] if len(documents) == 1 else documents)
        return
    console = render.console()
    print_report(console, summaries)
    hint = f"Written to {html}" if html else "With plots, to keep or to show around: add --html report.html"
    console.print(f"[dim]{render.escape(hint)}[/dim]")


def _missing_rule(name: str) -> Missing:
    from mlebench.errors import UsageError
    from mlebench.reporting.statistics import Missing

    try:
        return Missing(name)
    except ValueError:
        raise UsageError(f"--missing {name!r} is unknown: use {', '.join(Missing)}.") from None


def _summarise(
    name: str, runs_dir: Path, competitions_dir: list[Path], missing: Missing, at_seconds: float | None
) -> RunSummary:
    from mlebench.reporting.summary import summarise
    from mlebench.running.store import load_run

    run = load_run(name, runs_dir)
    # The run's own folders may be gone by now, or on another machine; the report does without them.
    remembered = [folder for folder in map(Path, run.config.competitions_dirs) if folder.is_dir()]
    return summarise(run, registry([*remembered, *competitions_dir]), missing, at_seconds)
