"""The options of `mlebench run`, in the groups that its help shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TASK, LIMITS, MODELS, MACHINE, CONTAINER = "What to run", "Limits", "Models", "Machine", "Container and network"


def _option(panel: str, *names: str, help: str, **more: object) -> typer.models.OptionInfo:
    """An option of a group; one without a default of its own shows none."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)  # type: ignore[arg-type]


Agent = Annotated[str | None, _option(TASK, "--agent", "-a", help="A built-in agent, or an agent folder.")]
Seeds = Annotated[int, _option(TASK, "--seeds", min=1, help="Attempts per competition, with seeds 0, 1, ...")]
Name = Annotated[str | None, _option(TASK, "--name", help="The run's name. Default: time_agent.", show_default=False)]
AgentOptions = Annotated[
    list[str] | None,
    _option(
        TASK,
        "--option",
        "-o",
        help="NAME=VALUE: an option of the agent's own (repeatable); `mlebench agents show` lists them.",
        show_default=False,
    ),
]
Resume = Annotated[
    str | None,
    _option(TASK, "--resume", help="Go on with this run (name or folder), as it was configured.", show_default=False),
]
DryRun = Annotated[bool, _option(TASK, "--dry-run", help="Check everything, show the plan, start nothing.")]

TimeLimit = Annotated[str, _option(LIMITS, "--time-limit", help="Time of each attempt, such as 90s, 30m, 24h, 1h30m.")]
Grace = Annotated[str, _option(LIMITS, "--grace", help="Time between SIGTERM and the end, when the time is over.")]
WarnAt = Annotated[
    str,
    _option(
        LIMITS, "--warn-at", help="Parts of time and budget at which the agent is told, with commas; empty: never."
    ),
]
StepLimit = Annotated[
    int | None, _option(LIMITS, "--step-limit", min=1, help="The agent's own steps. Default: what the agent says.")
]
SnapshotEvery = Annotated[
    str, _option(LIMITS, "--snapshot-every", help="How often to look at the submission besides changes; 0: never.")
]
Disk = Annotated[float, _option(LIMITS, "--disk", min=0.001, help="What an attempt may write, in GB.")]

Model = Annotated[
    list[str] | None,
    _option(
        MODELS,
        "--model",
        "-m",
        help="provider/name, such as openai/gpt-4.1 or scripted/demo; ROLE=provider/name for a role of the agent.",
        show_default=False,
    ),
]
BudgetUsd = Annotated[float | None, _option(MODELS, "--budget-usd", min=0.000001, help="Dollars of each attempt.")]
BudgetTokens = Annotated[int | None, _option(MODELS, "--budget-tokens", min=1, help="Tokens of each attempt.")]
BudgetCalls = Annotated[int | None, _option(MODELS, "--budget-calls", min=1, help="Model calls of each attempt.")]
BudgetGrace = Annotated[
    str, _option(MODELS, "--budget-grace", help="Time to hand in the best after a call was refused for the budget.")
]
AllowModel = Annotated[
    list[str] | None,
    _option(
        MODELS,
        "--allow-model",
        help="A model that agents may ask for besides --model (repeatable).",
        show_default=False,
    ),
]
Providers = Annotated[
    Path | None, _option(MODELS, "--providers", help="TOML file of your own providers.", show_default=False)
]
Prices = Annotated[Path | None, _option(MODELS, "--prices", help="TOML file of your own prices.", show_default=False)]
RecordLlm = Annotated[
    Path | None, _option(MODELS, "--record-llm", help="Keep the models' answers in this folder.", show_default=False)
]
ReplayLlm = Annotated[
    Path | None,
    _option(MODELS, "--replay-llm", help="Answer from such a folder alone; no provider is asked.", show_default=False),
]

Concurrency = Annotated[int, _option(MACHINE, "--concurrency", "-n", min=1, help="Attempts at the same time.")]
Cpus = Annotated[float | None, _option(MACHINE, "--cpus", min=0.01, help="Processors of each attempt.")]
PinCpus = Annotated[bool, _option(MACHINE, "--pin-cpus", help="Give each attempt processors of its own.")]
Memory = Annotated[
    float | None,
    _option(
        MACHINE,
        "--memory",
        min=0.01,
        help="Memory of each attempt in GB. Default: in containers an equal share of 90 % of the machine's.",
        show_default=False,
    ),
]
GpusPerAttempt = Annotated[
    int | None, _option(MACHINE, "--gpus-per-attempt", min=0, help="GPUs of each attempt. Default: the agent's need.")
]
AttemptsPerGpu = Annotated[int, _option(MACHINE, "--attempts-per-gpu", min=1, help="Attempts that share a GPU.")]
Gpus = Annotated[
    str | None,
    _option(MACHINE, "--gpus", help="GPUs to choose from, as index, uuid or MIG id, with commas. Default: all."),
]

SandboxName = Annotated[
    str | None,
    _option(
        CONTAINER,
        "--sandbox",
        help="docker, or process: no isolation, for agents you trust. Default: docker.",
        show_default=False,
    ),
]
Image = Annotated[
    str | None, _option(CONTAINER, "--image", help="Container image instead of the agent's.", show_default=False)
]
Runtime = Annotated[
    str | None,
    _option(CONTAINER, "--runtime", help="The engine's runtime, such as runsc. Default: the engine's."),
]
NetworkWord = Annotated[
    str, _option(CONTAINER, "--network", help="none, full, or allow=HOST,HOST: what agents reach; reports say so.")
]
Pids = Annotated[int, _option(CONTAINER, "--pids", min=1, help="Processes and threads of each attempt.")]
Shm = Annotated[
    float | None, _option(CONTAINER, "--shm", min=0.001, help="Shared memory in GB. Default: the agent's need, or 1.")
]
