"""`mlebench list` and `mlebench info`: which competitions there are and what is known about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, JsonOption, SplitOption, registry


@app.command("list")
def list_competitions(
    split: SplitOption = None,
    issues: Annotated[bool, typer.Option("--issues", help="Count known leaks and defects of each.")] = False,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List competitions: id, complexity (of the 75) or group (of the others), category, metric."""
    from mlebench.cli import render

    found = registry(competitions_dir)
    wanted = set(found.split(split)) if split else set(found.ids())
    chosen = [entry for entry in found.catalog() if entry.id in wanted]
    if as_json:
        counts = {entry.id: {"issues": found.issues(entry.id)} if issues else {} for entry in chosen}
        render.print_json([{**asdict(entry), **counts[entry.id]} for entry in chosen])
        return
    from rich.table import Table

    table = Table(title=f"{len(chosen)} competitions", title_justify="left")
    table.add_column("Competition", no_wrap=True)
    for heading in ("Complexity or group", "Category", "Metric (better)", *(("Known issues",) if issues else ())):
        table.add_column(heading)
    for entry in chosen:
        arrow = "higher" if entry.higher_is_better else "lower"
        row = [entry.id, entry.complexity or entry.group, entry.category, f"{entry.metric} ({arrow})"]
        if issues:
            row.append(", ".join(f"{count} {kind}" for kind, count in found.issues(entry.id).items()))
        table.add_row(*row)
    render.console().print(table)


@app.command("info")
def info(
    competition: Annotated[str, typer.Argument(help="A competition id.")],
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one competition: facts, submission format, medal thresholds, known issues, description."""
    from mlebench.cli import render
    from mlebench.grading.leaderboard import load_leaderboard

    found = registry(competitions_dir).get(competition)
    board = load_leaderboard(found.folder, found.metric.higher_is_better)
    if as_json:
        facts = found.facts.model_dump(mode="json")
        thresholds = {name: getattr(board, name) for name in ("teams", "gold", "silver", "bronze", "median")}
        render.print_json({**facts, "leaderboard": thresholds, "description": found.description})
        return
    from rich.markdown import Markdown
    from rich.table import Table

    out = render.console()
    facts_table = Table(show_header=False, title=found.title, title_justify="left", box=None)
    complexity = f", {found.facts.complexity} complexity" if found.facts.complexity else ""
    arrow = "higher" if found.metric.higher_is_better else "lower"
    columns = ", ".join(name for column in found.submission.columns for name in column.names) or "as in the sample"
    for key, value in (
        ("id", found.id),
        ("group", found.facts.group + complexity),
        ("category", found.facts.category),
        ("metric", f"{found.metric.title} ({arrow} is better)"),
        ("submission", f"{', '.join(found.id_columns)} + {columns}"),
        ("editions", ", ".join(found.facts.editions)),
        (
            "medals",
            f"gold {render.number(board.gold)}, silver {render.number(board.silver)}, "
            f"bronze {render.number(board.bronze)}, median {render.number(board.median)}"
            + (f", {board.teams} teams" if board.teams else ""),
        ),
    ):
        facts_table.add_row(f"[bold]{key}[/bold]", value)
    out.print(facts_table)
    for issue in found.facts.issues:
        out.print(f"\n[bold]{issue.severity} {issue.kind}[/bold]: {render.escape(issue.what)}")
        if issue.mended:
            mending = "v2" if "v2" in found.facts.editions else "a v2 would mend it (there is none yet)"
            out.print(f"  {mending}: {render.escape(issue.mended)}")
    out.print()
    out.print(Markdown(found.description))
