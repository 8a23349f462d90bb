"""An agent folder: `agent.toml`, optionally a Dockerfile, and whatever its start command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from mlebench.content import content_dir
from mlebench.errors import AgentError
from mlebench.toml import TomlFacts, load_facts


class Option(TomlFacts):
    """An option of the agent's own: `--option NAME=VALUE`, given to it as OPTION_<NAME>."""

    default: str = ""
    help: str = ""
    """One line; shown by `mlebench agents show`."""


class ModelNeeds(TomlFacts):
    """[models]: what the agent wants of language models. Left out by agents that use none."""

    speaks: Literal["openai-chat", "openai-responses", "anthropic", "gemini"] = "openai-chat"
    """The protocol it uses; checked against what the chosen model's provider offers."""
    roles: dict[str, str] = {}
    """Roles that may have a model of their own (`--model ROLE=provider/name`), each with a line that says what it does."""


class Build(TomlFacts):
    """[build]: how `mlebench agents build` makes the image from the folder's Dockerfile."""

    base: str = "mlebench-agent"
    """The image to start from, given as build argument BASE_IMAGE."""
    args: dict[str, str] = {}
    """Further build arguments with their defaults."""
    source: str | None = None
    """The build argument that says where in the build context the folder given by `--source` lies (`source`)."""


class Needs(TomlFacts):
    """[needs]: what an attempt of this agent needs at least; used where the command line is silent."""

    gpus: int = 0
    memory_gb: float | None = None
    shm_gb: float | None = None
    step_limit: int | None = None


class Input(TomlFacts):
    """[inputs.NAME]: a part of an earlier attempt that the agent is given as $INPUT_<NAME> (mlebench.agents.inputs)."""

    option: str
    """The agent's option that says which: RUN or RUN/ATTEMPT."""
    path: str = Field(default="code", pattern=r"^(code|logs|submission)(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
    """What of the attempt's folder."""


class AgentFacts(TomlFacts):
    """The schema of agent.toml."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """Folder name; shown in every report."""
    title: str
    """One line: what this agent does."""
    command: list[str] = Field(min_length=1)
    """Start command, run in the agent's folder (/home/agent)."""
    image: str = "mlebench-agent"
    """Container image that runs it; the environment's default image has Python and the scientific stack."""
    process: bool = True
    """Whether it can run in the process sandbox (no container) with mlebench's own Python."""
    network: bool = False
    """Whether it needs the network; an attempt with network is marked in every report."""
    environment: dict[str, str] = {}
    """Extra environment variables."""
    models: ModelNeeds | None = None
    options: dict[str, Option] = {}
    inputs: dict[str, Input] = {}
    build: Build = Build()
    needs: Needs = Needs()

    @model_validator(mode="after")
    def _inputs_are_chosen_by_options(self) -> Self:
        for name, one in self.inputs.items():
            if one.option not in self.options:
                raise ValueError(f"the input {name} is chosen by the option {one.option}, which is not declared")
        return self


class Agent:
    """One agent folder, opened."""

    def __init__(self, folder: Path, facts: AgentFacts) -> None:
        self.folder = folder
        self.facts = facts

    @property
    def name(self) -> str:
        """Folder name."""
        return self.facts.name


def builtin_agents() -> list[str]:
    """Names of the agents that ship with mlebench."""
    return sorted(path.parent.name for path in content_dir("agents").glob("*/agent.toml"))


def load_agent(name_or_path: str) -> Agent:
    """Open a built-in agent by name, or any agent folder by path."""
    folder = content_dir("agents") / name_or_path
    if "/" in name_or_path or not (folder / "agent.toml").is_file():
        folder = Path(name_or_path).expanduser()
    if not folder.is_dir():
        known = ", ".join(builtin_agents())
        raise AgentError(f"There is no agent {name_or_path!r}: use {known}, or the path of an agent folder.")
    return Agent(folder.resolve(), load_facts(folder / "agent.toml", AgentFacts, AgentError))
