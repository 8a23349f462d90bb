"""`mlebench runs stop|resume|rm`: runs handled from outside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlebench.cli.options import JsonOption, RunsDirOption
from mlebench.cli.runs import RunArgument, runs_app

_STOP_SECONDS = 180.0


@runs_app.command("stop")
def stop(name: RunArgument, runs_dir: RunsDirOption = Path("runs")) -> None:
    """End a run cleanly: its agents are stopped, and their attempts queued again for `runs resume`.

    Where the process that drove the run is gone and its agents still run, they are stopped all the same.
    """
    from mlebench.running.control import ask_to_end, clean_up
    from mlebench.running.lock import run_lock
    from mlebench.running.records import State
    from mlebench.running.store import RunStore, resolve_run
    from mlebench.sandbox import get_sandbox

    folder = resolve_run(name, runs_dir)
    asked = ask_to_end(folder, _STOP_SECONDS, lambda pid: _say(f"Asked process {pid} to end the run {folder.name}."))
    ended = []
    if not asked:
        with run_lock(folder), RunStore(folder) as store:
            if any(attempt.state is State.RUNNING for attempt in store.attempts()):
                ended = clean_up(store, get_sandbox(store.config.sandbox))
    with RunStore(folder) as store:
        unfinished = sum(attempt.state is not State.DONE for attempt in store.attempts())
    how = "ended" if asked else f"had no runner; {len(ended)} attempts were stopped" if ended else "was not running"
    rest = f" {unfinished} attempts are left: mlebench runs resume {name}" if unfinished else ""
    _say(f"The run {folder.name} {how}.{rest}")


@runs_app.command("resume")
def resume(
    name: RunArgument,
    runs_dir: RunsDirOption = Path("runs"),
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-n", min=1, help="Attempts at the same time. Default: as before.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run as it was configured; the same as `mlebench run --resume`."""
    from mlebench.cli import driving

    raise typer.Exit(driving.resume(name, runs_dir, concurrency, as_json))


@runs_app.command("rm")
def remove(
    name: RunArgument,
    runs_dir: RunsDirOption = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a run with everything in its folder, and the containers and leases it may have left."""
    from mlebench.errors import UsageError
    from mlebench.running.control import remove_run
    from mlebench.running.store import load_run, resolve_run
    from mlebench.sandbox import get_sandbox

    folder = resolve_run(name, runs_dir)
    run = load_run(folder, runs_dir)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"Removing {folder} cannot be undone; say --yes.")
        typer.confirm(f"Remove {folder} with {len(run.attempts)} attempts for good?", abort=True)
    remove_run(folder, get_sandbox(run.config.sandbox))
    _say(f"Removed {folder}.")


def _say(text: str) -> None:
    typer.echo(text, err=True)
