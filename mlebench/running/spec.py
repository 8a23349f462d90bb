"""From an attempt of a plan to what its sandbox and its validation endpoint are asked for."""

from __future__ import annotations

import shutil
from pathlib import PurePath, PurePosixPath

from mlebench.competition import Competition
from mlebench.data.paths import PreparedPaths
from mlebench.running.folders import AttemptFolder
from mlebench.running.plan import Plan
from mlebench.running.records import Attempt
from mlebench.sandbox.base import Network, Resources, Sandbox, SandboxSpec
from mlebench.sandbox.layout import CONTAINER, CONTAINER_CONTROL, VALIDATE_SOCKET
from mlebench.validation.launcher import ValidationService


def sandbox_name(run_id: str, attempt: Attempt) -> str:
    """Known before the start and the same for every try, so that what a killed runner started is found by it."""
    return f"mlebench-{run_id[:12]}-{attempt.id}"


def sandbox_spec(
    plan: Plan, run_id: str, attempt: Attempt, folder: AttemptFolder, sandbox: Sandbox, validate_url: str | None
) -> SandboxSpec:
    """What the sandbox is asked for. `validate_url` is None where the sandbox brings the endpoint in by itself."""
    config = plan.config
    public = plan.prepared[attempt.competition].public
    data = CONTAINER.data if _in_container(sandbox) else public.absolute()
    control = CONTAINER_CONTROL if _in_container(sandbox) else folder.control.absolute()
    competition = plan.competitions[attempt.competition]
    sample = _sample_for_agents(competition, plan.prepared[attempt.competition], folder, data, control)
    environment = {
        **plan.agent.facts.environment,
        "COMPETITION_ID": attempt.competition,
        "TIME_LIMIT_SECS": str(round(config.time_limit_seconds)),
        "SEED": str(attempt.seed),
        "SAMPLE_SUBMISSION": str(sample),
    }
    if validate_url is not None:
        environment["VALIDATE_URL"] = validate_url
    return SandboxSpec(
        name=sandbox_name(run_id, attempt),
        image=plan.image if _in_container(sandbox) else None,
        command=tuple(plan.agent.facts.command),
        agent_dir=plan.agent.folder,
        public=public,
        outbox=folder.outbox,
        control=folder.control,
        environment=environment,
        resources=Resources(cpus=config.cpus, memory_gb=config.memory_gb, disk_gb=config.disk_gb),
        network=Network.parse(config.network),
        labels={"mlebench.run": run_id, "mlebench.attempt": attempt.id},
    )


def validation_service(plan: Plan, attempt: Attempt, folder: AttemptFolder, sandbox: Sandbox) -> ValidationService:
    """The attempt's validation endpoint: behind a socket for containers, on a port where there are none."""
    competition, paths = plan.competitions[attempt.competition], plan.prepared[attempt.competition]
    socket = folder.control / VALIDATE_SOCKET if _in_container(sandbox) else None
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


def _in_container(sandbox: Sandbox) -> bool:
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
