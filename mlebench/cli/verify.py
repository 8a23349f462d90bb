"""`mlebench verify`: is prepared data still what it was, and does a bundle hold what it claims?"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import (
    CompetitionsDirOption,
    DataDirOption,
    EditionOption,
    JsonOption,
    RunsDirOption,
    SplitOption,
    data_dir,
    registry,
)
from mlebench.filenames import BUNDLE_FILE, EVENTS_FILE, STORE_FILE

if TYPE_CHECKING:
    from rich.console import Console

    from mlebench.bundle.verify import Verification
    from mlebench.bundle.whole import Expected
    from mlebench.registry import Registry

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="Competition ids; or bundles: a folder, .tar.gz or .zip, RUN/ATTEMPT, or a whole RUN.",
        show_default=False,
    ),
]


@app.command("verify")
def verify(
    targets: Targets = None,
    split: SplitOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Prepared data: compare sizes only, not hashes.")] = False,
    expect_digest: Annotated[
        str | None,
        typer.Option("--expect-digest", help="The digest that the bundle was published with.", show_default=False),
    ] = None,
    edition: EditionOption = "v1",
    data_dir_option: DataDirOption = None,
    runs_dir: RunsDirOption = Path("runs"),
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check prepared data against its manifest, or a bundle against itself. Without ids: all prepared data.

    A bundle is checked without the answers: every hash, the logs' chains, the order of events, what was counted, the
    conditions. With its competition's data in the data directory it is graded again. Exit code 0: all is well (some
    things may not be provable), 1: a file was changed or a claim fails, 2: not a bundle.
    """
    known = registry(competitions_dir)
    bundles = _bundles(targets or [], runs_dir)
    if bundles:
        _verify_bundles(bundles, known, data_dir_option, expect_digest, as_json)
    else:
        _verify_data(targets or [], split, quick, edition, data_dir_option, known, as_json)


def _bundles(targets: list[str], runs_dir: Path) -> list[tuple[str, Path]]:
    """(name, path) of each bundle among the targets; none when they are competitions."""
    from mlebench.errors import UsageError

    found: list[tuple[str, Path]] = []
    others = []
    for target in targets:
        places = [Path(target).expanduser(), runs_dir / target]
        place = next((one for one in places if one.exists()), None)
        if place is None or (place.is_dir() and not _sealed_inside(place)):
            if "/" in target or target.endswith((".tar.gz", ".tgz", ".zip")):
                raise UsageError(f"There is no bundle at {target}, and no such attempt in {runs_dir}.")
            others.append(target)
        elif place.is_dir() and (place / STORE_FILE).is_file():
            found += [(f"{target}/{one.parent.name}", one.parent) for one in sorted(place.glob("*/bundle.json"))]
        else:
            found.append((target, place))
    if found and others:
        raise UsageError(f"{', '.join(others)} is no bundle: verify competitions and bundles in separate calls.")
    return found


def _sealed_inside(folder: Path) -> bool:
    """Whether this folder is an attempt's or a run's."""
    from mlebench.errors import UsageError

    if (folder / STORE_FILE).is_file():
        if next(folder.glob("*/bundle.json"), None) is None:
            raise UsageError(f"No attempt of the run {folder} is sealed yet.")
        return True
    return (folder / BUNDLE_FILE).exists() or (folder / EVENTS_FILE).exists()


def _verify_bundles(
    bundles: list[tuple[str, Path]], known: Registry, data_option: Path | None, expected: str | None, as_json: bool
) -> None:
    from mlebench.bundle.verify import verify_bundle
    from mlebench.bundle.whole import Expected
    from mlebench.cli import render
    from mlebench.errors import UsageError

    if expected is not None and len(bundles) > 1:
        raise UsageError(f"--expect-digest is for one bundle, not for {len(bundles)}.")
    where = data_dir(data_option)
    console = render.console()
    results = []
    for name, path in bundles:
        with _busy(f"Verifying {name}"):
            told = Expected(expected, "--expect-digest") if expected is not None else _stored_digest(path)
            result = verify_bundle(path, known, where, expected=told, name=name)
        results.append(result)
        if not as_json:
            _show(console, result)
    if as_json:
        documents = [result.model_dump(mode="json") for result in results]
        render.print_json(documents[0] if len(documents) == 1 else documents)
    else:
        _show_trust(console, results)
    if any(result.failed for result in results):
        sys.exit(1)


def _stored_digest(folder: Path) -> Expected | None:
    """What the run store beside an attempt's folder has as its digest; None where there is none."""
    from mlebench.bundle.whole import Expected
    from mlebench.errors import MlebenchError
    from mlebench.running.store import RunStore

    folder = folder.absolute()
    if not (folder.parent / STORE_FILE).is_file():
        return None
    try:
        with RunStore(folder.parent) as store:
            digest = store.attempt(folder.name).bundle
    except (MlebenchError, ValueError):
        return None
    return Expected(digest, "the run store", proves=False) if digest else None


def _busy(what: str) -> AbstractContextManager[object]:
    """Something that moves on a terminal while large files are hashed."""
    from mlebench.cli import render

    console = render.console(stderr=True)
    return console.status(render.escape(what)) if console.is_terminal else nullcontext()


def _show(console: Console, result: Verification) -> None:
    from mlebench import text
    from mlebench.bundle.claims import Topic, Verdict
    from mlebench.cli import render

    marks = {
        Verdict.HOLDS: "[green]✔[/green]",
        Verdict.FAILS: "[bold red]✘[/bold red]",
        Verdict.UNKNOWN: "[yellow]?[/yellow]",
    }

    def shown(value: str, limit: int = 2000) -> str:
        return render.escape(text.clean(value, limit))

    score = f", score {text.number(result.score)}" if result.score is not None else ""
    medal = f", {text.medal(result.medal, synthetic=result.synthetic)}" if result.medal else ""
    model = f" with {result.model}" if result.model else ""
    console.print(f"[bold]{shown(result.attempt)}[/bold] of {shown(result.run)}: {shown(result.agent + model)}")
    console.print(
        f"  {shown(text.words(result.end or 'no end'))}, {text.words(result.outcome or 'no grade')}{score}{medal}"
    )
    console.print(f"  [dim]{shown(result.bundle)}, sha256 {result.digest}[/dim]", soft_wrap=True)
    for topic in Topic:
        claims = [claim for claim in result.claims if claim.topic is topic]
        if claims:
            console.print(f"\n[bold]{topic.value}[/bold]")
        for claim in claims:
            console.print(f" {marks[claim.verdict]} {shown(claim.claim)} [dim]{shown(claim.why)}[/dim]", soft_wrap=True)
    counts = (result.count(verdict) for verdict in (Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN))
    holds, fails, unknown = counts
    console.print(f"\n{holds} of {len(result.claims)} claims hold, {fails} fail, {unknown} cannot be shown.\n")


def _show_trust(console: Console, results: list[Verification]) -> None:
    from mlebench.bundle.verify import TRUST

    if len(results) > 1:
        failed = sum(result.failed for result in results)
        console.print(f"{len(results) - failed} of {len(results)} bundles have no claim that fails.")
    console.print(f"[dim]{TRUST}[/dim]")


def _verify_data(
    ids: list[str],
    split: str | None,
    quick: bool,
    edition: EditionOption,
    data_option: Path | None,
    known: Registry,
    as_json: bool,
) -> None:
    from mlebench.cli import render
    from mlebench.data.prepare import require_edition
    from mlebench.data.verify import verify_competition
    from mlebench.errors import NotPreparedError

    where = data_dir(data_option)
    if ids or split:
        chosen = known.select(ids, split)
    else:
        chosen = [known.get(name) for name in known.ids() if where.paths(name).manifest.is_file()]
        if not chosen:
            raise NotPreparedError(f"Nothing is prepared in {where.root}; `mlebench prepare` comes first.")
    for one in chosen:
        require_edition(one, edition)
    results = [verify_competition(one, where, edition, quick=quick) for one in chosen]
    if as_json:
        render.print_json([result.model_dump(mode="json") for result in results])
    else:
        console = render.console()
        for result in results:
            word = "[green]intact[/green]" if result.intact else "[red]damaged[/red]"
            console.print(
                f"{word} [bold]{result.competition}[/bold] ({result.files} files{render.checksum_word(result.verified)})"
            )
            for line in [*result.problems, *result.notes]:
                console.print(f"  {render.escape(line)}")
    if not all(result.intact for result in results):
        sys.exit(1)
