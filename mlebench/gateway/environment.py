"""What an agent is told about its models: the environment variables of docs/agents.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlebench.gateway.api import Budget

OPENAI_DOOR, ANTHROPIC_DOOR, GEMINI_DOOR = "/v1", "/anthropic", "/gemini"
"""Paths of the gateway's doors; clients add what their protocol adds (/chat/completions, /v1/messages, ...)."""


def model_environment(
    base_url: str,
    key: str,
    model: str,
    roles: Iterable[str] = (),
    role_models: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The variables of an attempt that has a model.

    `base_url`: where the agent sees the gateway, http://localhost:5001 in a container or http://127.0.0.1:PORT.
    `roles`: those that the agent declares; each has its model of `role_models`, else `model`.
    """
    base_url = base_url.rstrip("/")
    chosen = dict.fromkeys(roles, model) | dict(role_models or {})
    openai, anthropic, gemini = (base_url + door for door in (OPENAI_DOOR, ANTHROPIC_DOOR, GEMINI_DOOR))
    variables = {
        "MODEL": model,
        **{f"MODEL_{_upper(role)}": reference for role, reference in chosen.items()},
        "OPENAI_BASE_URL": openai,
        "OPENAI_API_BASE": openai,
        "ANTHROPIC_BASE_URL": anthropic,
        "GOOGLE_GEMINI_BASE_URL": gemini,
        "GEMINI_BASE_URL": gemini,
    }
    for owner in ("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE"):
        variables[f"{owner}_API_KEY"] = key
    return variables


def budget_environment(budget: Budget) -> dict[str, str]:
    """COST_LIMIT_USD, TOKEN_LIMIT and CALL_LIMIT; empty where there is no limit."""
    limits = {"COST_LIMIT_USD": budget.usd, "TOKEN_LIMIT": budget.tokens, "CALL_LIMIT": budget.calls}
    return {name: "" if limit is None else f"{limit:.15g}" for name, limit in limits.items()}


def _upper(role: str) -> str:
    return role.upper().replace("-", "_")
