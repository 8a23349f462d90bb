"""What `mlebench agents list` and `show` say of agents, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlebench.agents.agent import Agent, builtin_agents, load_agent
from mlebench.agents.images import Engine, image_state


def summary(agent: Agent, engine: Engine | None) -> dict[str, Any]:
    """One line of the list. `image_state` is unknown where no engine answers; sizes are bytes."""
    facts = agent.facts
    state, size = image_state(agent, engine)
    return {
        "name": facts.name,
        "title": facts.title,
        "folder": str(agent.folder),
        "model": facts.models.speaks if facts.models else None,
        "image": facts.image,
        "image_state": state,
        "image_bytes": size,
        "process": facts.process,
        "network": facts.network,
    }


def summaries(engine: Engine | None) -> list[dict[str, Any]]:
    """Every agent that ships with mlebench."""
    return [summary(load_agent(name), engine) for name in builtin_agents()]


def details(agent: Agent, engine: Engine | None) -> dict[str, Any]:
    """Everything agent.toml says, beside the summary, and the README's text."""
    facts = agent.facts
    return {
        **summary(agent, engine),
        "command": list(facts.command),
        "environment": dict(facts.environment),
        "roles": dict(facts.models.roles) if facts.models else {},
        "options": {name: {"default": one.default, "help": one.help} for name, one in facts.options.items()},
        "needs": facts.needs.model_dump(exclude_none=True),
        "scripted": sorted(path.stem for path in (agent.folder / "scripted").glob("*.json")),
        "readme": _text(agent.folder / "README.md"),
    }


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
