"""`mlebench competitions new|check`: bring your own competition, and know that it keeps the contract."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, JsonOption, SplitOption, registry

competitions = typer.Typer(help="Make and check competitions of your own.", no_args_is_help=True)
app.add_typer(competitions, name="competitions")


@competitions.command("new")
def new(
    competition_id: Annotated[str, typer.Argument(help="Id of the new competition; becomes the folder's name.")],
    folder: Annotated[Path, typer.Option("--dir", help="The folder of your own competitions.")] = Path(
        "my-competitions"
    ),
) -> None:
    """Make a small working competition to start from: edit it, then check it.

    The new folder holds every file a competition needs, for a table with a number to predict. Other verbs find it
    with --competitions-dir FOLDER, or with MLEBENCH_COMPETITIONS_DIR=FOLDER in the environment.
    """
    from mlebench.cli import render
    from mlebench.conformance.scaffold import scaffold_competition

    made = scaffold_competition(competition_id, folder)
    console = render.console()
    for path in sorted(made.iterdir()):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
    check_it = shlex.join(["mlebench", "competitions", "check", competition_id, "--competitions-dir", str(folder)])
    # Never broken into lines: it is there to be copied.
    console.print(f"\nNext: {check_it}", markup=False, highlight=False, soft_wrap=True)


@competitions.command("check")
def check(
    ids: Annotated[list[str] | None, typer.Argument(help="Competition ids.", show_default=False)] = None,
    split: SplitOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the contract over competitions: reproducible recipe, private answers, perfect score, malformed input.

    Exit code 1 when a check fails.
    """
    from mlebench.cli import render
    from mlebench.conformance.contract import run_contract
    from mlebench.errors import UsageError

    chosen = registry(competitions_dir).select(ids or [], split)
    if not chosen:
        raise UsageError("Say what to check: competition ids, or --split practice.")
    console = render.console()
    found: dict[str, list[dict[str, object]]] = {}
    failed = 0
    for one in chosen:
        found[one.id] = []
        if not as_json:
            console.print(f"[bold]{one.id}[/bold]")
        for result in run_contract(one):
            failed += not result.passed
            found[one.id].append({"check": result.name, "passed": result.passed, "detail": result.detail})
            if not as_json:
                word = "[green]ok[/green]    " if result.passed else "[red]failed[/red]"
                detail = f": {render.escape(result.detail)}" if result.detail else ""
                console.print(f"  {word} {result.name.replace('_', ' ')}{detail}")
    if as_json:
        render.print_json(found)
    sys.exit(1 if failed else 0)
