"""Which image an agent runs in, what that image is built from, and whether the engine's copy is up to date.

An image carries labels that say what it was built from: the digest of its build context and arguments, the id of the
image it starts from, and what the user chose in place of the defaults. A choice stays until another one is made, so
that a machine which builds from a base of its own has to say so once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlebench.agents.agent import Agent, builtin_agents, load_agent
from mlebench.agents.context import context_digest
from mlebench.content import content_dir
from mlebench.errors import SandboxError, UsageError

ENVIRONMENT = "mlebench-agent"
"""The default image, built from environment/."""
BASE = "BASE_IMAGE"
"""The build argument that names the image to start from."""
SOURCE_FOLDER = "source"
"""Where in the build context the folder of `--source` lies."""
BASES_VARIABLE = "MLEBENCH_BASE_IMAGES"
"""`PUBLIC=MINE PUBLIC=MINE`: what to take in place of public base images, on machines without their registry."""

State = Literal["built", "stale", "missing", "foreign", "unknown"]
"""foreign: not built by mlebench but there. unknown: no engine answers."""

_ARG = re.compile(r"^\s*ARG\s+([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """An image and how it is made."""

    image: str
    folder: Path
    """The build context, with a Dockerfile."""
    args: Mapping[str, str] = field(default_factory=dict)
    """Build arguments with their defaults, BASE_IMAGE among them where there is one."""
    source_arg: str | None = None
    """The build argument that `--source` sets to the folder's place in the context."""

    @property
    def declared(self) -> dict[str, str]:
        """The arguments that the Dockerfile knows, with its own defaults."""
        text = (self.folder / "Dockerfile").read_text(encoding="utf-8")
        return {name: (default or "").strip().strip("\"'") for name, default in _ARG.findall(text)}


@dataclass(frozen=True)
class Choices:
    """What the user chose for a build in place of the defaults."""

    args: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    """Digest of the folder given by `--source`; None without one."""

    @classmethod
    def read(cls, labels: Mapping[str, str]) -> Choices:
        """The choices that an image was built with."""
        try:
            kept = json.loads(labels["mlebench.choices"])
            return cls({str(key): str(value) for key, value in kept["args"].items()}, kept["source"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return cls()

    def changed_by(self, args: Mapping[str, str], source: str | None) -> Choices:
        """These choices with newer ones on top; an empty value goes back to the default."""
        merged = {**self.args, **args}
        return Choices({key: value for key, value in merged.items() if value}, source or self.source)


@dataclass(frozen=True)
class Build:
    """One build in full: a recipe with every argument decided."""

    recipe: Recipe
    choices: Choices

    @property
    def args(self) -> dict[str, str]:
        """Every build argument."""
        args = {**self.recipe.args, **self.choices.args}
        if self.choices.source and self.recipe.source_arg:
            args[self.recipe.source_arg] = SOURCE_FOLDER
        return args

    @property
    def base(self) -> str | None:
        """The image it starts from, where that is an argument."""
        return self.args.get(BASE)

    @property
    def digest(self) -> str:
        """Of everything that decides what the image holds, save the base image's content."""
        return context_digest(self.recipe.folder, {"args": self.args, "source": self.choices.source})

    def labels(self, base_id: str) -> dict[str, str]:
        """What the image will say of itself."""
        choices = {"args": dict(self.choices.args), "source": self.choices.source}
        return {
            "mlebench.image": _plain(self.recipe.image),
            "mlebench.digest": self.digest,
            "mlebench.base": base_id,
            "mlebench.choices": json.dumps(choices, sort_keys=True),
        }


@dataclass(frozen=True)
class Held:
    """An image as the engine has it."""

    id: str
    size: int
    labels: Mapping[str, str]


class Engine:
    """The few questions about images that this module asks of a container engine."""

    def __init__(self) -> None:
        import docker

        from mlebench.sandbox.engine import engine_errors

        with engine_errors():
            self.client: Any = docker.from_env(timeout=3600)
            self.client.ping()

    def held(self, image: str) -> Held | None:
        """The image, or None where the engine has none of this name."""
        from docker.errors import ImageNotFound

        from mlebench.sandbox.engine import engine_errors

        with engine_errors(image):
            try:
                found = self.client.images.get(image)
            except ImageNotFound:
                return None
        return Held(str(found.id), int(found.attrs.get("Size") or 0), found.labels or {})


def recipe_of(agent: Agent) -> Recipe:
    """How the agent's image is made: by its own Dockerfile, as another agent's, or as the default image."""
    facts = agent.facts
    if (agent.folder / "Dockerfile").is_file():
        if _plain(facts.image) == ENVIRONMENT:
            raise UsageError(
                f"{agent.folder / 'agent.toml'}, key image: a folder with a Dockerfile needs a name of its own for its "
                f'image, such as "mlebench-{agent.name}".'
            )
        recipe = Recipe(facts.image, agent.folder, facts.build.args, facts.build.source)
        defaults = {**facts.build.args, **({BASE: facts.build.base} if BASE in recipe.declared else {})}
        return Recipe(facts.image, agent.folder, defaults, facts.build.source)
    if made := recipe_for(facts.image):
        return made
    raise UsageError(
        f"The agent {agent.name} has no Dockerfile and runs in {facts.image}, which mlebench does not build; "
        f"get it with `docker pull {facts.image}`."
    )


def recipe_for(image: str) -> Recipe | None:
    """The recipe of an image that ships with mlebench; None for any other."""
    if _plain(image) == ENVIRONMENT:
        folder = content_dir("environment")
        declared = Recipe(ENVIRONMENT, folder).declared
        return Recipe(ENVIRONMENT, folder, {BASE: declared[BASE]})
    for name in builtin_agents():
        agent = load_agent(name)
        if _plain(agent.facts.image) == _plain(image) and (agent.folder / "Dockerfile").is_file():
            return recipe_of(agent)
    return None


def decide(
    recipe: Recipe, engine: Engine, given: Mapping[str, str] | None = None, source: str | None = None
) -> tuple[Build, Held | None]:
    """The build of a recipe on this machine: defaults, what its image was built with before, what is asked for now."""
    declared = recipe.declared
    for name in given or {}:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise UsageError(f"The Dockerfile of {recipe.image} has no build argument {name}; it has: {known}.")
    held = engine.held(recipe.image)
    choices = Choices.read(_own_labels(recipe, held)).changed_by(given or {}, source)
    default = recipe.args.get(BASE)
    if default is not None and BASE not in choices.args and (mine := _own_bases().get(default)):
        choices = choices.changed_by({BASE: mine}, None)
    stale = {name for name in choices.args if name not in declared}
    kept = {name: value for name, value in choices.args.items() if name not in stale}
    return Build(recipe, Choices(kept, choices.source)), held


def _own_labels(recipe: Recipe, held: Held | None) -> Mapping[str, str]:
    """What an image says of itself; an image that was built by hand says what the one below it said of itself."""
    if held is None or held.labels.get("mlebench.image", _plain(recipe.image)) != _plain(recipe.image):
        return {}
    return held.labels


def up_to_date(build: Build, held: Held | None, engine: Engine) -> bool:
    """Whether the engine's image is what this build would make."""
    if held is None or held.labels.get("mlebench.digest") != build.digest:
        return False
    base = engine.held(build.base) if build.base else None
    return base is None or base.id == held.labels.get("mlebench.base")


def image_state(agent: Agent, engine: Engine | None) -> tuple[State, int | None]:
    """How the agent's image stands, with its size in bytes where it is there."""
    if engine is None:
        return "unknown", None
    try:
        recipe = recipe_of(agent)
    except UsageError:
        held = engine.held(agent.facts.image)
        return ("foreign", held.size) if held else ("missing", None)
    build, held = decide(recipe, engine)
    if held is None:
        return "missing", None
    return ("built" if up_to_date(build, held, engine) else "stale"), held.size


def find_engine() -> Engine | None:
    """The engine, or None where none answers."""
    try:
        return Engine()
    except SandboxError:
        return None


def _plain(image: str) -> str:
    return image.removesuffix(":latest")


def _own_bases() -> dict[str, str]:
    pairs = (word.partition("=") for word in os.environ.get(BASES_VARIABLE, "").split())
    return {public: mine for public, _, mine in pairs if mine}
