"""What a run will do, and everything that can be checked before anything is started."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlebench.agents.agent import Agent, load_agent
from mlebench.agents.inputs import check_inputs
from mlebench.competition import Competition
from mlebench.content import content_dir
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.errors import NotPreparedError, UsageError
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.registry import Registry
from mlebench.running.checks import check_agent, check_models
from mlebench.running.machine import check_machine
from mlebench.running.records import Attempt, RunConfig
from mlebench.sandbox.base import Sandbox

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Plan:
    """A run's configuration with everything it names opened and found in order."""

    config: RunConfig
    agent: Agent
    competitions: dict[str, Competition]
    prepared: dict[str, PreparedPaths]

    @property
    def image(self) -> str:
        """The container image, for sandboxes that have images."""
        return self.config.image or self.agent.facts.image

    @property
    def attempts(self) -> list[Attempt]:
        """Competitions x seeds, seed by seed, so that every competition gets a first result early."""
        now = datetime.now(UTC)
        return [
            Attempt(id=f"{competition}-s{seed}", competition=competition, seed=seed, created_at=now)
            for seed in self.config.seeds
            for competition in self.config.competitions
        ]

    @property
    def longest_seconds(self) -> float:
        """How long the run takes when every attempt uses all of its time."""
        rounds = -(-len(self.config.competitions) * len(self.config.seeds) // self.config.concurrency)
        return rounds * (self.config.time_limit_seconds + self.config.grace_seconds)


def agent_reference(agent: Agent) -> str:
    """How a run remembers its agent: a built-in one by name, any other by its absolute folder."""
    return agent.name if agent.folder.parent == content_dir("agents").resolve() else str(agent.folder)


def default_name(agent: Agent) -> str:
    """<UTC time>_<agent>: sorts by time, and is free unless two runs start in the same second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}_{agent.name}"


def check_name(name: str) -> str:
    """The name if it can be a folder's name everywhere."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"The run name {name!r} must start with a letter or digit and hold only these and . _ -")
    return name


def open_plan(config: RunConfig, sandbox: Sandbox, *, starts: bool = True) -> Plan:
    """Open what the configuration names; the first thing that would stop a run is raised as one sentence.

    `starts`: whether agents will be started. Without, only what grading needs has to be there.
    """
    agent = load_agent(config.agent)
    check_agent(agent, config, sandbox)
    check_models(agent, config, keys=starts)
    if not config.competitions:
        raise UsageError("No competition is chosen; name some with `-c ID` or `--split NAME`.")
    registry = Registry([Path(folder) for folder in config.competitions_dirs])
    competitions = {name: registry.get(name) for name in config.competitions}
    for competition in competitions.values():
        load_leaderboard(competition.folder, competition.metric.higher_is_better)
    prepared = _all_prepared(DataDir(Path(config.data_dir)), competitions, config)
    plan = Plan(config, agent, competitions, prepared)
    if starts:
        check_inputs(agent, config.options, ((name, seed) for name in config.competitions for seed in config.seeds))
        check_machine(config, plan.image, sandbox)
    return plan


def _all_prepared(data: DataDir, competitions: dict[str, Competition], config: RunConfig) -> dict[str, PreparedPaths]:
    found, missing = {}, []
    for name, competition in competitions.items():
        try:
            paths = data.require_prepared(competition, config.edition)
        except NotPreparedError:
            missing.append(name)
            continue
        if (paths.public / "description.md").is_file():
            found[name] = paths
        else:
            missing.append(name)
    if missing:
        edition = "" if config.edition == "v1" else f" --edition {config.edition}"
        shown = " ".join(missing)
        raise NotPreparedError(
            f"{len(missing)} of {len(competitions)} competitions are not prepared for agents in {data.root}; "
            f"run `mlebench prepare {shown}{edition}` first."
        )
    return found
