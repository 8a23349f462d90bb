"""`mlebench prepare`: bring data into place."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

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
    from mlebench.competition import Competition

Ids = Annotated[list[str] | None, typer.Argument(help="Competition ids.", show_default=False)]


@app.command("prepare")
def prepare(
    ids: Ids = None,
    split: SplitOption = None,
    competition: Annotated[list[str] | None, typer.Option("-c", "--competition", hidden=True)] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="kaggle (download), synthetic (made-up data), bundled, or a folder or zip with Kaggle's raw files. "
            "Default: bundled data, the raw files already in the data directory, or kaggle with credentials.",
            show_default=False,
        ),
    ] = None,
    edition: EditionOption = "v1",
    jobs: Annotated[int, typer.Option(min=1, help="How many recipes to run at once; this is what bounds memory.")] = 1,
    downloads: Annotated[int, typer.Option(min=1, max=8, help="How many zips to download at once.")] = 2,
    keep_raw: Annotated[
        bool | None,
        typer.Option(
            "--keep-raw/--no-keep-raw",
            help="Keep the raw files afterwards, or remove them. Default: remove what this command fetched or made, "
            "keep what was there.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Prepare anew what is already prepared.")] = False,
    check_rules: Annotated[
        bool,
        typer.Option("--check-rules", help="Only ask Kaggle which of them can be downloaded; list what to accept."),
    ] = False,
    skip_unavailable: Annotated[
        bool, typer.Option("--skip-unavailable", help="Leave out what Kaggle does not give to this account.")
    ] = False,
    accept_new_source: Annotated[
        bool,
        typer.Option("--accept-new-source", help="Use a zip that Kaggle changed since; grades on it will say so."),
    ] = False,
    official_description: Annotated[
        bool, typer.Option("--official-description", help="Also fetch the contest's own pages into public/official/.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of made-up data.")] = 0,
    scale: Annotated[float, typer.Option(min=0.01, help="Size of made-up data relative to its default.")] = 1.0,
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the public files and the private answers of competitions from their raw data.

    A second call does nothing; an interrupted one leaves nothing half-made. Exit code 1 when any competition
    could not be prepared (the others are), 2 for a wrong request.
    """
    from mlebench.cli import render
    from mlebench.cli.downloads import refuse_or_skip, show_rules, shown, stoppable
    from mlebench.data.batch import Downloads, Failure, PrepareOptions, prepare_many, will_load
    from mlebench.data.prepare import require_edition
    from mlebench.data.sources import SourceRequest
    from mlebench.data.space import require_space
    from mlebench.errors import UsageError

    chosen = registry(competitions_dir).select([*(ids or []), *(competition or [])], split)
    if not chosen:
        raise UsageError("Say what to prepare: competition ids, or --split lite (`mlebench list` shows what there is).")
    for one in chosen:
        require_edition(one, edition)
    where = data_dir(data_dir_option)
    console = render.console(stderr=True)
    results, failures = [], []
    with stoppable(console):
        if check_rules:
            sys.exit(0 if show_rules(_on_kaggle(chosen), as_json) else 1)
        request = SourceRequest(source, len(chosen) == 1, seed, scale, accept_new_source)
        options = PrepareOptions(request, edition, keep_raw, force, official_description)
        loads = [one.id for one in chosen if will_load(one, where, options)]
        skipped, sizes = refuse_or_skip(console, loads, len(chosen), skip=skip_unavailable) if loads else ({}, {})
        asked, chosen = len(chosen), [one for one in chosen if one.id not in skipped]
        at_once = jobs + min(downloads, len(loads))
        require_space(
            chosen,
            where,
            request,
            edition=edition,
            force=force,
            keep_raw=bool(keep_raw),
            at_once=at_once,
            zip_bytes=sizes,
        )
        with (
            render.progress(console, "Preparing", len(chosen)) if not sizes else nullcontext(lambda: None) as advance,
            shown(console, sizes) as watch,
        ):
            for result in prepare_many(chosen, where, options, jobs, Downloads(downloads, watch)):
                if isinstance(result, Failure):
                    failures.append(result)
                    line = f"[red]failed[/red] {result.competition}: {render.escape(result.message)}"
                else:
                    results.append(result)
                    line = (
                        f"{result.status} [bold]{result.competition}[/bold] ({result.source} data, {result.files} files, "
                        f"{render.size(result.bytes)}, {result.seconds:.1f} s{render.checksum_word(result.verified)})"
                    )
                    line += "".join(f"\n  {render.escape(note)}" for note in result.notes)
                if not as_json:
                    console.print(line)
                advance()
    if as_json:
        render.print_json(
            {
                "data_dir": str(where.root),
                "prepared": [result.model_dump(mode="json") for result in results],
                "failed": [{"competition": f.competition, "message": f.message} for f in failures],
                "skipped": [{"competition": name, "message": message} for name, message in skipped.items()],
            }
        )
    else:
        left_out = f", {len(skipped)} skipped" if skipped else ""
        console.print(f"{len(results)} of {asked} competitions are prepared in {where.root}{left_out}")
    if failures:
        sys.exit(2 if all(failure.exit_code == 2 for failure in failures) else 1)


def _on_kaggle(chosen: list[Competition]) -> list[str]:
    return [one.id for one in chosen if "kaggle" in one.facts.data.sources]
