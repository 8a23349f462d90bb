"""The options of agent.toml."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.contract import Surroundings


@dataclass(frozen=True)
class Settings:
    """See agent.toml for the meaning of each."""

    agent_model: str
    fast_model: str
    edit_model: str
    exec_timeout: float
    steps_in_context: int
    max_retries: int
    max_tokens: int | None
    edit_max_tokens: int | None
    temperature: float | None
    fast_temperature: float | None
    more_actions: tuple[str, ...]
    model_timeout: float
    model_patience: float

    @classmethod
    def read(cls, around: Surroundings) -> Settings:
        """Raises OptionError for a value that cannot be used."""

        def tokens(option: str) -> int | None:
            return int(around.number(option, 0, low=16)) if around.text(option) else None

        return cls(
            agent_model=around.model("agent"),
            fast_model=around.model("fast"),
            edit_model=around.model("edit"),
            exec_timeout=around.number("exec_timeout", 32400, low=1),
            steps_in_context=int(around.number("steps_in_context", 3, high=1000)),
            max_retries=int(around.number("max_retries", 5, low=1, high=1000)),
            max_tokens=tokens("max_tokens"),
            edit_max_tokens=tokens("edit_max_tokens"),
            temperature=around.temperature("temperature", 0.2),
            fast_temperature=around.temperature("fast_temperature", 0.01),
            more_actions=tuple(name.strip() for name in around.text("more_actions").split(",") if name.strip()),
            model_timeout=around.number("model_timeout", 1200, low=0.1),
            model_patience=around.number("model_patience", 3600),
        )
