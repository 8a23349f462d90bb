"""`mlebench runs bundle`: pack attempts for others to look at and to verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.options import DataDirOption, JsonOption, RunsDirOption, data_dir
from mlebench.cli.runs import RunArgument, runs_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from mlebench.data.paths import DataDir
    from mlebench.running.store import Run


@runs_app.command("bundle")
def bundle(
    name: RunArgument,
    attempts: Annotated[
        list[str] | None,
        typer.Argument(help="Attempt ids, <competition>-s<seed>. Default: all that are sealed.", show_default=False),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="A file (.tar.gz or .zip) for one attempt, or a folder for all."),
    ] = Path(),
    zipped: Annotated[bool, typer.Option("--zip", help="Into a folder: .zip files instead of .tar.gz.")] = False,
    runs_dir: RunsDirOption = Path("runs"),
    data_dir_option: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pack attempts, each into one file that `mlebench verify` checks anywhere.

    The same attempt gives the same bytes. Before packing, every file is compared with its seal and searched for the
    keys in this environment and, where the data is here, for the answers; a bundle that holds any is refused.
    """
    from mlebench.bundle.index import BUNDLE_FILE, read_index
    from mlebench.bundle.pack import SUFFIXES, pack, packed_bytes
    from mlebench.bundle.secrets import Secrets
    from mlebench.cli import render
    from mlebench.errors import UsageError
    from mlebench.running.store import load_run

    run = load_run(name, runs_dir)
    known_ids = [attempt.id for attempt in run.attempts]
    for one in attempts or []:
        if one not in known_ids:
            raise UsageError(f"The run {run.config.name} has no attempt {one!r}; `mlebench runs show` lists them.")
    sealed = [one for one in known_ids if (run.folder / one / BUNDLE_FILE).is_file()]
    chosen = list(dict.fromkeys(attempts or sealed))
    if not chosen:
        raise UsageError(f"No attempt of the run {run.config.name} is sealed yet: attempts are when they are done.")
    single = output.name.endswith(SUFFIXES) and not output.is_dir()
    if single and len(chosen) > 1:
        raise UsageError(f"{output} is one file, but there are {len(chosen)} attempts: name a folder with -o.")
    suffix = ".zip" if zipped else ".tar.gz"
    console = render.console(stderr=as_json)
    made = []
    answers: dict[str, dict[str, str]] = {}
    keys = _keys(run)
    for attempt in chosen:
        folder = run.folder / attempt
        target = output if single else output / f"{run.folder.name}-{attempt}{suffix}"
        competition = next(one.competition for one in run.attempts if one.id == attempt)
        if competition not in answers:
            answers[competition] = _answers(run, competition, data_dir(data_dir_option))
        secrets = Secrets(keys, answers[competition])
        found = read_index(folder)
        with _progress(console, attempt, packed_bytes(found[0]) if found else 0) as step:
            index = pack(folder, target, f"{run.folder.name}-{attempt}", secrets, step)
        made.append({"attempt": attempt, "file": str(target), "bytes": target.stat().st_size, "digest": index.digest})
        if not as_json:
            size = render.size(target.stat().st_size)
            console.print(f"{render.escape(str(target))} ({size}), digest {index.digest}", soft_wrap=True)
    if as_json:
        render.print_json(made)
        return
    left = len(known_ids) - len(sealed)
    if left and not attempts:
        console.print(f"[yellow]{len(made)} of {len(known_ids)} attempts: the others are not sealed yet.[/yellow]")
    console.print("[dim]Publish the digests beside your results: `mlebench verify FILE --expect-digest DIGEST`.[/dim]")


def _keys(run: Run) -> dict[str, str]:
    """Keys that must not be in a bundle, as far as they are known here."""
    from mlebench.bundle.secrets import provider_keys, secret_values

    own = run.config.providers_file
    return {**secret_values(), **provider_keys(Path(own) if own else None)}


def _answers(run: Run, competition: str, data: DataDir) -> dict[str, str]:
    """Hashes of a competition's answers, as far as they are here."""
    from mlebench.bundle.regrade import answer_hashes
    from mlebench.data.paths import DataDir

    found: dict[str, str] = {}
    for root in dict.fromkeys((data.root, Path(run.config.data_dir))):
        found |= answer_hashes(DataDir(root).paths(competition, run.config.edition))
    return found


@contextmanager
def _progress(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)

        def step(count: int) -> None:
            bar.advance(task, count)

        yield step
