"""`mlebench run`: agents on competitions, to the end or on from where an earlier run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlebench.cli.app import app
from mlebench.cli.options import (
    CompetitionOption,
    CompetitionsDirOption,
    DataDirOption,
    EditionOption,
    JsonOption,
    RunsDirOption,
    SplitOption,
    data_dir,
    registry,
)

if TYPE_CHECKING:
    from rich.console import Console

    from mlebench.running.plan import Plan
    from mlebench.running.store import Run, RunStore
    from mlebench.sandbox.base import Sandbox


@app.command("run")
def run(
    context: typer.Context,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="A built-in agent, or an agent folder.")] = None,
    competition: CompetitionOption = None,
    split: SplitOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Attempts per competition, with seeds 0, 1, ...")] = 1,
    time_limit: Annotated[str, typer.Option(help="Time of each attempt, such as 90s, 30m, 24h, 1h30m.")] = "24h",
    grace: Annotated[str, typer.Option(help="Time between SIGTERM and the end, when the time is over.")] = "30s",
    concurrency: Annotated[int, typer.Option("--concurrency", "-n", min=1, help="Attempts at the same time.")] = 1,
    sandbox: Annotated[
        str | None,
        typer.Option(
            help="docker, or process: no isolation, for agents you trust. [default: docker]", show_default=False
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The run's name. [default: time_agent]", show_default=False)] = None,
    runs_dir: RunsDirOption = Path("runs"),
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    edition: EditionOption = "v1",
    image: Annotated[str | None, typer.Option(help="Container image instead of the agent's.")] = None,
    cpus: Annotated[float | None, typer.Option(min=0.01, help="Processors of each attempt.")] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="Memory of each attempt in GB. [default: in containers an equal share of 90 % of the machine's]",
            show_default=False,
        ),
    ] = None,
    disk: Annotated[float, typer.Option(min=0.001, help="What an attempt may write, in GB.")] = 50.0,
    network: Annotated[
        str, typer.Option(help="none, full, or allow=HOST,HOST: what of the network agents reach; reports say so.")
    ] = "none",
    resume: Annotated[
        str | None, typer.Option(help="Go on with this run (name or folder), as it was configured.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, show the plan, start nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run an agent on competitions and grade what it submits.

    Ctrl-C stops cleanly and `--resume` goes on later; so does a run that was killed. Exit code 0 when every attempt
    was judged (an invalid submission is a judgement), 1 when a fault of sandbox or grader keeps some without a
    result, 2 when the command cannot be carried out, 130 after Ctrl-C.
    """
    from mlebench.errors import UsageError

    if resume is not None:
        allowed = {"resume", "runs_dir", "concurrency", "as_json"}
        if extra := [option for key, option in _given(context).items() if key not in allowed]:
            raise UsageError(f"A resumed run keeps its configuration: leave out {', '.join(extra)}.")
        raise typer.Exit(_resume(resume, runs_dir, concurrency if "concurrency" in _given(context) else None, as_json))
    from mlebench.agents.agent import load_agent
    from mlebench.running.duration import parse_duration
    from mlebench.running.machine import memory_share_gb
    from mlebench.running.plan import agent_reference, check_name, default_name, open_plan
    from mlebench.running.records import RunConfig
    from mlebench.sandbox.base import Network

    if agent is None:
        raise UsageError("Say which agent to run: `--agent NAME` (dummy, baseline, ...) or `--agent FOLDER`.")
    limit = parse_duration(time_limit)
    if limit <= 0:
        raise UsageError("The time limit must be longer than nothing.")
    chosen = load_agent(agent)
    where = _sandbox(sandbox)
    config = RunConfig(
        name=check_name(name or default_name(chosen)),
        agent=agent_reference(chosen),
        sandbox=where.name,
        competitions=[c.id for c in registry(competitions_dir).select(competition or (), split)],
        seeds=list(range(seeds)),
        edition=edition,
        time_limit_seconds=limit,
        grace_seconds=parse_duration(grace),
        concurrency=concurrency,
        data_dir=str(data_dir(data_dir_option).root),
        competitions_dirs=[str(folder.absolute()) for folder in competitions_dir or ()],
        image=image,
        cpus=cpus,
        memory_gb=memory or (memory_share_gb(concurrency) if where.isolates else None),
        disk_gb=disk,
        network=str(Network.parse(network)),
    )
    plan = open_plan(config, where)
    if dry_run:
        _show_plan(plan, as_json)
        return
    raise typer.Exit(_start(plan, where, runs_dir, as_json))


def _start(plan: Plan, sandbox: Sandbox, runs_dir: Path, as_json: bool) -> int:
    from mlebench.running.lock import run_lock
    from mlebench.running.store import RunStore

    folder = runs_dir.absolute() / plan.config.name
    with RunStore.create(folder, plan.config, plan.attempts) as store, run_lock(folder):
        return _drive(store, plan, sandbox, None, as_json)


def _resume(name: str, runs_dir: Path, concurrency: int | None, as_json: bool) -> int:
    from mlebench.running.lock import run_lock
    from mlebench.running.plan import open_plan
    from mlebench.running.store import RunStore, resolve_run
    from mlebench.sandbox import get_sandbox

    folder = resolve_run(name, runs_dir)
    with run_lock(folder), RunStore(folder) as store:
        sandbox = get_sandbox(store.config.sandbox)
        return _drive(store, open_plan(store.config, sandbox), sandbox, concurrency, as_json)


def _drive(store: RunStore, plan: Plan, sandbox: Sandbox, concurrency: int | None, as_json: bool) -> int:
    from mlebench.cli import render
    from mlebench.cli.progress import Progress
    from mlebench.cli.runs import attempts_table, run_json
    from mlebench.running.executor import Executor, exit_code
    from mlebench.running.interrupts import INTERRUPTED

    notes = render.console(stderr=True)
    if not sandbox.isolates:
        _print(notes, "The process sandbox does not isolate: agents can read and change whatever you can.")
    _print(notes, f"Run {plan.config.name} in {store.folder}")
    with Progress(notes, store.attempts()) as progress:
        executor = Executor(store, plan, sandbox, progress, concurrency=concurrency)
        attempts = executor.run()
    code = exit_code(attempts, executor.interrupted)
    done = store.read()
    if as_json:
        render.print_json({**run_json(done), "exit_code": code})
    else:
        render.console().print(attempts_table(attempts))
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


def _sandbox(name: str | None) -> Sandbox:
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


def _show_plan(plan: Plan, as_json: bool) -> None:
    from mlebench.cli import render
    from mlebench.running.duration import format_duration

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
        f"time: at most {format_duration(plan.longest_seconds)}. Nothing was started.",
    )


def _given(context: typer.Context) -> dict[str, str]:
    """Options that stand on the command line: parameter name -> how the option is spelt."""
    given = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            given[parameter.name or ""] = max(parameter.opts, key=len)
    return given


def _words(run: Run) -> str:
    """How to name this run on a command line from here."""
    import shlex

    return run.folder.name if run.folder.parent == Path("runs").absolute() else shlex.quote(str(run.folder))


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
