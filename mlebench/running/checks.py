"""Whether an agent, its models and the network fit together: all of it before anything is started."""

from __future__ import annotations

from pathlib import Path

from mlebench.agents.agent import Agent
from mlebench.errors import UsageError
from mlebench.gateway.api import Replay
from mlebench.running.records import RunConfig, allowed_models
from mlebench.sandbox.base import Sandbox

SCRIPTS = "scripted"
"""In an agent's folder: the answers of scripted models."""


def check_agent(agent: Agent, config: RunConfig, sandbox: Sandbox) -> None:
    """Raise UsageError when the agent cannot run like this."""
    name, facts = agent.name, agent.facts
    if sandbox.name == "process" and not facts.process:
        raise UsageError(f"The agent {name} runs in containers only; use `--sandbox docker`.")
    if facts.network and config.network == "none":
        raise UsageError(f"The agent {name} needs the network; allow it with `--network full` or `allow=HOST`.")
    if not sandbox.isolates and config.network != "full" and config.network != "none":
        raise UsageError("Only containers can be kept to single hosts; use `--sandbox docker` with `--network allow=`.")
    unknown = sorted(set(config.options) - set(facts.options))
    if unknown:
        known = f"it has {', '.join(sorted(facts.options))}" if facts.options else "it has none"
        raise UsageError(f"The agent {name} has no option {unknown[0]!r}; {known}.")


def check_models(agent: Agent, config: RunConfig, *, keys: bool = True) -> None:
    """Raise UsageError or GatewayError when the models cannot be used. `keys`: whether they will be asked for now."""
    needs = agent.facts.models
    if needs is None:
        asked = {
            "--model": config.model or config.role_models,
            "--allow-model": config.models_allowed,
            "--budget-usd": config.budget_usd,
            "--budget-tokens": config.budget_tokens,
            "--budget-calls": config.budget_calls,
            "--record-llm or --replay-llm": config.replay_dir,
        }
        extra = [option for option, value in asked.items() if value]
        if extra:
            raise UsageError(f"The agent {agent.name} uses no model; leave out {extra[0]}.")
        return
    if config.model is None:
        raise UsageError(
            f"The agent {agent.name} needs a model: --model provider/name, such as openai/gpt-4.1 "
            "(or scripted/demo, which plays back the answers in the agent's folder)."
        )
    for role in config.role_models:
        if role not in needs.roles:
            known = f"it has {', '.join(needs.roles)}" if needs.roles else "it has none"
            raise UsageError(f"The agent {agent.name} has no role {role!r}; {known}.")
    if config.replay is Replay.REPLAY and not Path(config.replay_dir or "").is_dir():
        raise UsageError(f"There are no recorded answers in {config.replay_dir}; record some with --record-llm.")
    from mlebench.gateway.check import check_model

    for reference in allowed_models(config):
        check_model(
            reference,
            needs.speaks,
            _path(config.providers_file),
            prices=_path(config.prices_file),
            budget_usd=config.budget_usd,
            scripts=agent.folder / SCRIPTS,
            replay=config.replay if keys else Replay.REPLAY,
        )


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
