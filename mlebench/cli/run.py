"""`mlebench run`: agents on competitions, to the end or on from where an earlier run stopped."""

from __future__ import annotations

from pathlib import Path

import typer

from mlebench.cli import run_options as opt
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


@app.command("run")
def run(
    context: typer.Context,
    agent: opt.Agent = None,
    competition: CompetitionOption = None,
    split: SplitOption = None,
    seeds: opt.Seeds = 1,
    name: opt.Name = None,
    option: opt.AgentOptions = None,
    resume: opt.Resume = None,
    dry_run: opt.DryRun = False,
    edition: EditionOption = "v1",
    runs_dir: RunsDirOption = Path("runs"),
    data_dir_option: DataDirOption = None,
    competitions_dir: CompetitionsDirOption = None,
    as_json: JsonOption = False,
    time_limit: opt.TimeLimit = "24h",
    grace: opt.Grace = "30s",
    warn_at: opt.WarnAt = "0.5,0.9,0.98",
    step_limit: opt.StepLimit = None,
    snapshot_every: opt.SnapshotEvery = "15m",
    disk: opt.Disk = 50.0,
    model: opt.Model = None,
    budget_usd: opt.BudgetUsd = None,
    budget_tokens: opt.BudgetTokens = None,
    budget_calls: opt.BudgetCalls = None,
    budget_grace: opt.BudgetGrace = "2m",
    allow_model: opt.AllowModel = None,
    providers: opt.Providers = None,
    prices: opt.Prices = None,
    record_llm: opt.RecordLlm = None,
    replay_llm: opt.ReplayLlm = None,
    concurrency: opt.Concurrency = 1,
    cpus: opt.Cpus = None,
    pin_cpus: opt.PinCpus = False,
    memory: opt.Memory = None,
    gpus_per_attempt: opt.GpusPerAttempt = None,
    attempts_per_gpu: opt.AttemptsPerGpu = 1,
    gpus: opt.Gpus = None,
    sandbox: opt.SandboxName = None,
    image: opt.Image = None,
    runtime: opt.Runtime = None,
    network: opt.NetworkWord = "none",
    pids: opt.Pids = 4096,
    shm: opt.Shm = None,
) -> None:
    """Run an agent on competitions and grade what it submits.

    Ctrl-C stops cleanly and `--resume` goes on later; so does a run that was killed. Exit code 0 when every attempt
    was judged (an invalid submission is a judgement), 1 when a fault of sandbox or grader keeps some without a
    result, 2 when the command cannot be carried out, 130 after Ctrl-C.
    """
    from mlebench.cli import driving
    from mlebench.errors import UsageError

    if resume is not None:
        allowed = {"resume", "runs_dir", "concurrency", "as_json"}
        if extra := [spelt for key, spelt in _given(context).items() if key not in allowed]:
            raise UsageError(f"A resumed run keeps its configuration: leave out {', '.join(extra)}.")
        at_once = concurrency if "concurrency" in _given(context) else None
        raise typer.Exit(driving.resume(resume, runs_dir, at_once, as_json))
    from mlebench.agents.agent import load_agent
    from mlebench.agents.inputs import resolve_inputs
    from mlebench.duration import parse_duration
    from mlebench.gateway.api import Replay
    from mlebench.hardware.inventory import memory_share_gb
    from mlebench.running.plan import agent_reference, check_name, default_name
    from mlebench.running.records import RunConfig
    from mlebench.running.requests import parse_models, parse_names, parse_options, parse_parts
    from mlebench.sandbox.base import Network

    if agent is None:
        raise UsageError("Say which agent to run: `--agent NAME` (dummy, baseline, ...) or `--agent FOLDER`.")
    if record_llm is not None and replay_llm is not None:
        raise UsageError("Answers are either recorded or replayed; leave out --record-llm or --replay-llm.")
    limit = parse_duration(time_limit)
    if limit <= 0:
        raise UsageError("The time limit must be longer than nothing.")
    chosen = load_agent(agent)
    needs = chosen.facts.needs
    where = driving.sandbox(sandbox)
    main_model, role_models = parse_models(model or ())
    answers = record_llm or replay_llm
    config = RunConfig(
        name=check_name(name or default_name(chosen)),
        agent=agent_reference(chosen),
        sandbox=where.name,
        competitions=[c.id for c in registry(competitions_dir).select(competition or (), split)],
        seeds=list(range(seeds)),
        edition=edition,
        time_limit_seconds=limit,
        grace_seconds=parse_duration(grace),
        warn_at=parse_parts(warn_at),
        step_limit=needs.step_limit if step_limit is None else step_limit,
        snapshot_seconds=0.0 if snapshot_every.strip() == "0" else parse_duration(snapshot_every),
        concurrency=concurrency,
        data_dir=str(data_dir(data_dir_option).root),
        competitions_dirs=[str(folder.absolute()) for folder in competitions_dir or ()],
        image=image,
        cpus=cpus,
        memory_gb=memory or (max(needs.memory_gb, memory_share_gb(concurrency) or 0) if needs.memory_gb else None),
        disk_gb=disk,
        network=str(Network.parse(network)),
        runtime=runtime,
        pids=pids,
        shm_gb=shm or needs.shm_gb or 1.0,
        model=main_model,
        role_models=role_models,
        options=resolve_inputs(chosen, parse_options(option or ()), runs_dir),
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
        budget_calls=budget_calls,
        budget_grace_seconds=parse_duration(budget_grace),
        models_allowed=allow_model or [],
        replay=Replay.OFF if answers is None else Replay.RECORD if record_llm else Replay.REPLAY,
        replay_dir=_absolute(answers),
        providers_file=_absolute(providers),
        prices_file=_absolute(prices),
        gpus_per_attempt=needs.gpus if gpus_per_attempt is None else gpus_per_attempt,
        attempts_per_gpu=attempts_per_gpu,
        gpus=parse_names(gpus),
        pin_cpus=pin_cpus,
    )
    plan = driving.checked_plan(config, where)
    if dry_run:
        driving.show_plan(plan, as_json)
        return
    raise typer.Exit(driving.start(plan, where, runs_dir, as_json))


def _absolute(path: Path | None) -> str | None:
    return str(path.expanduser().absolute()) if path is not None else None


def _given(context: typer.Context) -> dict[str, str]:
    """Options that stand on the command line: parameter name -> how the option is spelt."""
    given = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            given[parameter.name or ""] = max(parameter.opts, key=len)
    return given
