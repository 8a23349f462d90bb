"""Driving a run from the command line: a new one or one that is resumed, with what people see meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from mlebench.running.plan import Plan
    from mlebench.running.records import RunConfig
    from mlebench.running.store import Run, RunStore
    from mlebench.sandbox.base import Sandbox


MOST_COMPLAINTS = 5
"""Attempts of which a run says at its end what went wrong."""


def start(plan: Plan, sandbox: Sandbox, runs_dir: Path, as_json: bool) -> int:
    """Make a new run and drive it to its end; the command's exit code."""
    from mlebench.running.lock import run_lock
    from mlebench.running.store import RunStore

    folder = runs_dir.absolute() / plan.config.name
    _tell_of_an_old_image(plan, sandbox)
    with RunStore.create(folder, plan.config, plan.attempts) as store, run_lock(folder):
        return drive(store, plan, sandbox, None, as_json)


def resume(name: str, runs_dir: Path, concurrency: int | None, as_json: bool) -> int:
    """Go on with a run; the command's exit code."""
    from mlebench.running.lock import run_lock
    from mlebench.running.records import State
    from mlebench.running.store import RunStore, resolve_run
    from mlebench.sandbox import get_sandbox

    folder = resolve_run(name, runs_dir)
    with run_lock(folder), RunStore(folder) as store:
        where = get_sandbox(store.config.sandbox)
        starts = any(one.failed or one.state in (State.QUEUED, State.RUNNING) for one in store.attempts())
        return drive(store, checked_plan(store.config, where, starts=starts), where, concurrency, as_json)


def checked_plan(config: RunConfig, sandbox: Sandbox, *, starts: bool = True) -> Plan:
    """The plan of a run (see open_plan); UsageError for whatever keeps it from starting, be it engine, key or GPU."""
    from mlebench.errors import MlebenchError, UsageError
    from mlebench.running.plan import open_plan

    try:
        return open_plan(config, sandbox, starts=starts)
    except MlebenchError as error:
        raise UsageError(str(error)) from error


def drive(store: RunStore, plan: Plan, sandbox: Sandbox, concurrency: int | None, as_json: bool) -> int:
    """Bring every attempt of a run to its end, show how that goes; the command's exit code."""
    from mlebench.cli import render
    from mlebench.cli.progress import Progress
    from mlebench.cli.runs import attempts_table, complaints, run_json
    from mlebench.running.door import open_gateway
    from mlebench.running.executor import Executor, exit_code
    from mlebench.running.interrupts import INTERRUPTED
    from mlebench.running.machine import open_leases

    notes = render.console(stderr=True)
    if not sandbox.isolates:
        _print(notes, "The process sandbox does not isolate: agents can read and change whatever you can.")
    _print(notes, f"Run {plan.config.name} in {store.folder}")
    with Progress(notes, store.attempts(), store.folder) as progress:
        executor = Executor(
            store,
            plan,
            sandbox,
            progress,
            gateway=open_gateway(plan, store.folder),
            leases=open_leases(plan.config, sandbox, concurrency),
            concurrency=concurrency,
        )
        attempts = executor.run()
    code = exit_code(attempts, executor.interrupted)
    done = store.read()
    if as_json:
        render.print_json({**run_json(done), "exit_code": code})
    else:
        render.console().print(attempts_table(attempts))
        told = complaints(attempts)
        for line in told[:MOST_COMPLAINTS]:
            _print(notes, line)
        if len(told) > MOST_COMPLAINTS:
            _print(notes, f"... and {len(told) - MOST_COMPLAINTS} more: mlebench runs show {_words(done)}")
    where = _words(done)
    if code == INTERRUPTED:
        _print(notes, f"Interrupted. Go on with: mlebench run --resume {where}")
    elif code:
        _print(
            notes,
            f"Some attempts have no result through a fault of ours. Try again with: mlebench run --resume {where}",
        )
    else:
        _print(notes, f"Everything lies in {store.folder}. Next: mlebench report {where}")
    return code


def sandbox(name: str | None) -> Sandbox:
    """The sandbox asked for; without a word docker, and never silently something that does not isolate."""
    from mlebench.errors import SandboxError, UsageError
    from mlebench.sandbox import get_sandbox

    sandbox = get_sandbox(name or "docker")
    if name is None:
        try:
            sandbox.check()
        except SandboxError as error:
            offer = "" if "--sandbox process" in str(error) else " Or run without isolation: `--sandbox process`."
            raise UsageError(f"{error}{offer}") from None
    return sandbox


def show_plan(plan: Plan, as_json: bool) -> None:
    """What a run would do."""
    from mlebench.cli import render
    from mlebench.duration import format_duration
    from mlebench.running.records import allowed_models

    attempts, config = plan.attempts, plan.config
    if as_json:
        render.print_json(
            {
                "config": config.model_dump(mode="json"),
                "attempts": [one.id for one in attempts],
                "longest_seconds": plan.longest_seconds,
            }
        )
        return
    out = render.console()
    for one in attempts:
        _print(out, f"  {one.id}")
    _print(
        out,
        f"{len(attempts)} attempts ({len(config.competitions)} competitions x {len(config.seeds)} seeds) of {plan.agent.name} "
        f"in the {config.sandbox} sandbox, {format_duration(config.time_limit_seconds)} each, {config.concurrency} at a "
        f"time: at most {format_duration(plan.longest_seconds)}.",
    )
    if config.model is not None:
        most = config.budget_usd * len(attempts) if config.budget_usd is not None else None
        spent = "no budget in dollars" if most is None else f"at most ${config.budget_usd:g} each, ${most:g} together"
        _print(out, f"Model {', '.join(allowed_models(config))}: {spent}.")
    if config.gpus_per_attempt:
        _print(out, f"{config.gpus_per_attempt} GPUs each.")
    if config.network != "none":
        _print(out, f"Network: {config.network}.")
    _print(out, "Nothing was started.")


def _tell_of_an_old_image(plan: Plan, sandbox: Sandbox) -> None:
    """An image that was built before its folder or base image changed runs all the same, but not what is written there."""
    from mlebench.agents.images import find_engine, image_state
    from mlebench.cli import render

    if sandbox.name != "docker" or plan.config.image is not None:
        return
    if image_state(plan.agent, find_engine())[0] == "stale":
        build = f"mlebench agents build {plan.config.agent}"
        text = f"The image {plan.image} is older than what it is built from; `{build}` makes it anew."
        _print(render.console(stderr=True), text)


def _words(run: Run) -> str:
    """How to name this run on a command line from here."""
    import shlex

    return run.folder.name if run.folder.parent == Path("runs").absolute() else shlex.quote(str(run.folder))


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
