"""From an attempt of a plan to what its sandbox and its validation endpoint are asked for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath

from mlebench.agents.inputs import place_inputs, shown_options
from mlebench.competition import Competition
from mlebench.data.paths import PreparedPaths
from mlebench.egress import proxy_environment
from mlebench.gateway.api import Budget
from mlebench.gateway.environment import budget_environment, model_environment
from mlebench.hardware.api import Share
from mlebench.running.folders import AttemptFolder
from mlebench.running.plan import Plan
from mlebench.running.records import Attempt, RunConfig
from mlebench.sandbox.base import Network, Resources, Sandbox, SandboxSpec
from mlebench.sandbox.layout import (
    CONTAINER,
    CONTAINER_CONTROL,
    EGRESS_PORT,
    EGRESS_SOCKET,
    GATEWAY_PORT,
    GATEWAY_SOCKET,
    NOTICES_FILE,
    VALIDATE_PORT,
    VALIDATE_SOCKET,
)
from mlebench.validation.launcher import ValidationService


def sandbox_name(run_id: str, attempt: Attempt) -> str:
    """Known before the start and the same for every try, so that what a killed runner started is found by it."""
    return f"mlebench-{run_id[:12]}-{attempt.id}"


@dataclass(frozen=True)
class Endpoints:
    """Where an agent without a container finds the host's services."""

    validate_url: str | None = None
    """None where the sandbox brings the endpoint in by itself."""
    gateway_port: int | None = None


def sandbox_spec(
    plan: Plan,
    run_id: str,
    attempt: Attempt,
    folder: AttemptFolder,
    sandbox: Sandbox,
    endpoints: Endpoints,
    hardware: str,
) -> SandboxSpec:
    """What the sandbox is asked for. `hardware`: one line about what the attempt gets of the machine."""
    config, contained = plan.config, in_container(sandbox)
    share = attempt.share or Share(cpus=config.cpus, memory_gb=config.memory_gb)
    forwards = {VALIDATE_PORT: VALIDATE_SOCKET}
    if config.model is not None:
        forwards[GATEWAY_PORT] = GATEWAY_SOCKET
    network = Network.parse(config.network)
    if network.mode == "allow":
        forwards[EGRESS_PORT] = EGRESS_SOCKET
    return SandboxSpec(
        name=sandbox_name(run_id, attempt),
        image=plan.image if contained else None,
        command=tuple(plan.agent.facts.command),
        agent_dir=plan.agent.folder,
        public=plan.prepared[attempt.competition].public,
        outbox=folder.outbox,
        control=folder.control,
        environment={**agent_environment(plan, attempt, folder, sandbox, endpoints), "HARDWARE": hardware},
        resources=Resources(
            cpus=share.cpus,
            memory_gb=share.memory_gb,
            pids=config.pids,
            shm_gb=config.shm_gb,
            disk_gb=config.disk_gb,
            gpus=tuple(share.gpus),
            cpuset=share.cpuset,
        ),
        network=network,
        forwards=forwards if contained else {},
        runtime=config.runtime,
        labels={"mlebench.run": run_id, "mlebench.attempt": attempt.id},
    )


def agent_environment(
    plan: Plan, attempt: Attempt, folder: AttemptFolder, sandbox: Sandbox, endpoints: Endpoints
) -> dict[str, str]:
    """The variables of docs/agents.md, as far as they are not the sandbox's own (paths)."""
    config, contained = plan.config, in_container(sandbox)
    public = plan.prepared[attempt.competition].public
    data = CONTAINER.data if contained else public.absolute()
    control = CONTAINER_CONTROL if contained else folder.control.absolute()
    competition = plan.competitions[attempt.competition]
    sample = _sample_for_agents(competition, plan.prepared[attempt.competition], folder, data, control)
    environment = {
        **plan.agent.facts.environment,
        "COMPETITION_ID": attempt.competition,
        "TIME_LIMIT_SECS": str(round(config.time_limit_seconds)),
        "SEED": str(attempt.seed),
        "SAMPLE_SUBMISSION": str(sample),
        "STEP_LIMIT": "" if config.step_limit is None else str(config.step_limit),
        **budget_environment(budget(config)),
        "NOTICES_FILE": str(control / NOTICES_FILE),
    }
    for name, value in shown_options(plan.agent, config.options).items():
        environment[f"OPTION_{_upper(name)}"] = value
    environment |= place_inputs(
        plan.agent, config.options, attempt.competition, attempt.seed, folder.control, PurePath(control)
    )
    if endpoints.validate_url is not None and not contained:
        environment["VALIDATE_URL"] = endpoints.validate_url
    if config.model is not None and plan.agent.facts.models is not None:
        environment |= model_environment(
            f"http://127.0.0.1:{GATEWAY_PORT if contained else endpoints.gateway_port}",
            attempt.gateway_key or "",
            config.model,
            plan.agent.facts.models.roles,
            config.role_models,
        )
    if config.network.startswith("allow="):
        environment |= proxy_environment()
    return environment


def budget(config: RunConfig) -> Budget:
    """What the gateway holds each attempt to."""
    return Budget(usd=config.budget_usd, tokens=config.budget_tokens, calls=config.budget_calls)


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def validation_service(plan: Plan, attempt: Attempt, folder: AttemptFolder, sandbox: Sandbox) -> ValidationService:
    """The attempt's validation endpoint: behind a socket for containers, on a port where there are none."""
    competition, paths = plan.competitions[attempt.competition], plan.prepared[attempt.competition]
    socket = folder.control / VALIDATE_SOCKET if in_container(sandbox) else None
    if socket is not None:
        socket.parent.mkdir(parents=True, exist_ok=True)
    return ValidationService(
        competition,
        paths.prepared / competition.facts.data.sample_submission,
        folder.calls,
        socket=socket,
        answers=paths.private,
        port=attempt.validate_port or 0,
    )


def in_container(sandbox: Sandbox) -> bool:
    """Whether agents see container paths, and reach the host through sockets alone."""
    return sandbox.name == "docker"


def _sample_for_agents(
    competition: Competition, prepared: PreparedPaths, folder: AttemptFolder, data: PurePath, control: PurePath
) -> PurePath:
    """The plain sample submission as the agent sees it: among the public files, or a copy where it lies elsewhere."""
    name = PurePosixPath(competition.facts.data.sample_submission)
    if name.parts[0] == "public":
        return data / name.relative_to("public")
    folder.control.mkdir(parents=True, exist_ok=True)
    copy = folder.control / name.name
    shutil.copyfile(prepared.prepared / name, copy)
    copy.chmod(0o644)
    return control / name.name
