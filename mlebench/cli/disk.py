"""`mlebench disk`: what competitions take on disk, and removing raw files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import CompetitionsDirOption, DataDirOption, JsonOption, SplitOption, data_dir, registry

if TYPE_CHECKING:
    from mlebench.data.disk import DirectoryUse
    from mlebench.data.paths import DataDir


@app.command("disk")
def disk(
    ids: Annotated[list[str] | None, typer.Argument(help="Competition ids. Default: all.", show_default=False)] = None,
    split: SplitOption = None,
    clean_raw: Annotated[
        bool, typer.Option("--clean-raw", help="Remove raw files (without ids: of what is prepared).")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing.")] = False,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each competition takes on disk. A file with several hard links counts once."""
    from mlebench.cli import render
    from mlebench.data.disk import measure

    where = data_dir(data_dir_option)
    chosen = [one.id for one in registry(competitions_dir).select(ids or [], split)]
    if clean_raw:
        freed = _clean(where, chosen, yes=yes, as_json=as_json)
        if as_json:
            render.print_json({"data_dir": str(where.root), "freed": freed})
        return
    found = measure(where, chosen)
    if as_json:
        uses = [{**use.model_dump(mode="json"), "total": use.total} for use in found.competitions]
        render.print_json({**found.model_dump(mode="json"), "competitions": uses})
    else:
        _show(found)


def _clean(where: DataDir, ids: list[str], *, yes: bool, as_json: bool) -> dict[str, int]:
    """Remove raw files, after asking; competition -> bytes freed."""
    from mlebench.cli import render
    from mlebench.data.disk import clean_raw, is_prepared, measure, with_raw
    from mlebench.errors import UsageError

    chosen = with_raw(where, ids)
    console = render.console(stderr=True)
    if not chosen:
        console.print(f"No prepared competition in {where.root} has raw files.")
        return {}
    size = render.size(sum(use.raw for use in measure(where, chosen).competitions))
    what = chosen[0] if len(chosen) == 1 else f"{len(chosen)} competitions ({', '.join(chosen)})"
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise UsageError(f"Removing the raw files of {what} frees {size}; say --yes to do it without being asked.")
        last = [one for one in chosen if not is_prepared(where, one)]
        rest = f"{', '.join(last)}: not prepared, raw is all there is" if last else "prepared data stays"
        if not typer.confirm(f"Remove the raw files of {what}? It frees {size}; {rest}.", err=True):
            raise typer.Abort
    freed = {}
    for one in chosen:
        freed[one] = clean_raw(where, one)
        console.print(f"removed the raw files of [bold]{one}[/bold] ({render.size(freed[one])})")
    return freed


def _show(found: DirectoryUse) -> None:
    from rich.table import Table

    from mlebench.cli import render

    kinds = ["prepared", "raw", "download", "leftover", "other"]
    shown = [kind for kind in kinds if kind == "prepared" or any(getattr(use, kind) for use in found.competitions)]
    table = Table("Competition", *(kind.capitalize() for kind in shown), "Total", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for use in filter(lambda use: use.total, found.competitions):
        cells = [render.size(getattr(use, kind)) if getattr(use, kind) else "-" for kind in shown]
        table.add_row(use.competition, *cells, render.size(use.total))
    console = render.console()
    if found.competitions:
        console.print(table)
        console.print()
    if found.unreadable:
        console.print(f"Not counted, since you may not read them: {', '.join(found.unreadable)}")
    console.print(f"{render.size(found.total)} in {found.data_dir}, {render.size(found.free)} free")
