"""`mlebench mirror`: keep prepared data in a folder or an object store of one's own, and get it back from there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mlebench.cli.app import app
from mlebench.cli.options import (
    CompetitionsDirOption,
    DataDirOption,
    EditionOption,
    JsonOption,
    SplitOption,
    data_dir,
    registry,
)

if TYPE_CHECKING:
    from rich.console import Console

    from mlebench.data.mirror.parts import Transfer

mirror_app = typer.Typer(
    name="mirror",
    help="Keep prepared data in a store of your own, and prepare elsewhere from it.",
    no_args_is_help=True,
)
app.add_typer(mirror_app)

Ids = Annotated[list[str] | None, typer.Argument(help="Competition ids. Default: all there are.", show_default=False)]
Store = Annotated[str, typer.Argument(help="A folder, or an address such as s3://bucket/folder or gs://bucket/folder.")]
WhatOption = Annotated[
    Literal["prepared", "raw", "public"],
    typer.Option("--what", help="prepared: with the answers. public: what agents see. raw: Kaggle's files."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be copied.")]


@mirror_app.command("export")
def export(
    destination: Store,
    ids: Ids = None,
    split: SplitOption = None,
    what: WhatOption = "prepared",
    edition: EditionOption = "v1",
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy prepared data into a store, with its manifests. A second call copies only what is missing or changed."""
    from mlebench.cli import render
    from mlebench.data.mirror.exporting import export_competition, exportable, require_apart
    from mlebench.data.mirror.parts import Selection
    from mlebench.data.mirror.store import ObjectStore
    from mlebench.errors import NotPreparedError

    where, known, selection = data_dir(data_dir_option), registry(competitions_dir), Selection(what, edition)
    store = ObjectStore(destination)
    require_apart(store, "", where)
    chosen = [one.id for one in known.select(ids or [], split)] or exportable(where, known.ids(), selection)
    if not chosen:
        raise NotPreparedError(f"There is no {what} data in {where.root}; `mlebench prepare` comes first.")
    if what == "prepared" and not dry_run:
        note = "This copies the answers too (private/): keep the store to yourself; --what public leaves them out."
        render.console(stderr=True).print(note)
    _each(
        "Exporting",
        chosen,
        lambda one, step: export_competition(one, where, store, selection, force=force, dry_run=dry_run, step=step),
        as_json,
        {"store": store.url, "what": what, "edition": edition},
    )


@mirror_app.command("import")
def import_(
    source: Store,
    ids: Ids = None,
    split: SplitOption = None,
    what: WhatOption = "prepared",
    edition: EditionOption = "v1",
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy exported data into the data directory, every file checked; a killed import goes on where it was."""
    from mlebench.cli import render
    from mlebench.data.mirror.importing import exported, import_competition
    from mlebench.data.mirror.parts import Selection
    from mlebench.data.mirror.store import ObjectStore
    from mlebench.errors import NotPreparedError

    where, known, selection = data_dir(data_dir_option), registry(competitions_dir), Selection(what, edition)
    store = ObjectStore(source)
    chosen = [one.id for one in known.select(ids or [], split)]
    if not chosen:
        found = exported(store, selection)
        chosen = [one for one in found if one in known.ids()]
        unknown = sorted(set(found) - set(chosen))
        if unknown:
            names = render.escape(", ".join(unknown))
            render.console(stderr=True).print(f"Left alone, since no competitions folder has them: {names}")
    if not chosen:
        raise NotPreparedError(f"{store.url} has no finished export of {what} data ({edition}).")
    _each(
        "Importing",
        chosen,
        lambda one, step: import_competition(one, where, store, selection, force=force, dry_run=dry_run, step=step),
        as_json,
        {"store": store.url, "data_dir": str(where.root), "what": what, "edition": edition},
    )


def _each(
    title: str,
    chosen: list[str],
    act: Callable[[str, Callable[[int], Any]], Transfer],
    as_json: bool,
    about: dict[str, str],
) -> None:
    """One competition after the other (each copies many files at once), isolated from each other's failures."""
    from mlebench.cli import render
    from mlebench.errors import MlebenchError, os_error_told

    console = render.console(stderr=True)
    done, failed = [], []
    with _bytes_bar(console, title) as step:
        for one in chosen:
            try:
                transfer = act(one, step)
            except (MlebenchError, OSError) as error:
                message = os_error_told(error) if isinstance(error, OSError) else str(error)
                if message is None:
                    raise
                failed.append((one, message, error.exit_code if isinstance(error, MlebenchError) else 1))
                line = f"[red]failed[/red] {one}: {render.escape(message)}"
            else:
                done.append(transfer)
                line = _line(transfer)
            if not as_json:
                console.print(line)
    if as_json:
        failures = [{"competition": one, "message": message} for one, message, _ in failed]
        render.print_json({**about, "done": [one.model_dump(mode="json") for one in done], "failed": failures})
    else:
        console.print(f"{len(done)} of {len(chosen)} competitions")
    if failed:
        sys.exit(2 if all(code == 2 for _, _, code in failed) else 1)


def _line(transfer: Transfer) -> str:
    from mlebench.cli import render

    line = (
        f"{transfer.status} [bold]{transfer.competition}[/bold] ({transfer.files} files, {render.size(transfer.bytes)}"
    )
    if transfer.copied_files not in (0, transfer.files):
        line += f", of which {transfer.copied_files} files, {render.size(transfer.copied_bytes)} to copy"
    if transfer.seconds:
        line += f", {transfer.seconds:.1f} s"
    return line + ")"


@contextmanager
def _bytes_bar(console: Console, title: str) -> Iterator[Callable[[int], Any]]:
    """Bytes and speed so far on a terminal, nothing elsewhere; threads may call what it yields."""
    from rich.progress import (
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda count: bar.advance(task, count)
