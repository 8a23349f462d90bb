"""The options of agent.toml, and the scaffold's command line made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from agentkit.contract import OptionError, Surroundings

ROLES = {"gpt-4-agent": "agent", "gpt-4-fast": "fast", "gpt-4-edit": "edit"}
"""The names that the scaffold is given for its models: it sends chat completions only to those that begin like this."""
TASK = "mlebench"


@dataclass(frozen=True)
class Settings:
    """See agent.toml for the meaning of each."""

    models: dict[str, str]
    """By role."""
    exec_timeout: float
    steps_in_context: int
    max_retries: int
    max_tokens: dict[str, int | None]
    temperature: dict[str, float | None]
    retrieval: bool
    snapshots: int
    model_timeout: float
    model_patience: float

    @classmethod
    def read(cls, around: Surroundings) -> Settings:
        """Raises OptionError for a value that cannot be used."""

        def tokens(option: str) -> int | None:
            return int(around.number(option, 0, low=16)) if around.text(option) else None

        retrieval = around.text("retrieval", "false").lower()
        if retrieval not in ("true", "false"):
            raise OptionError(f"The option retrieval must be true or false, not {retrieval!r}.")
        temperature = around.temperature("temperature", 0.2)
        usual = tokens("max_tokens")
        return cls(
            models={role: around.model(role) for role in ROLES.values()},
            exec_timeout=around.number("exec_timeout", 32400, low=1),
            steps_in_context=int(around.number("steps_in_context", 3, high=1000)),
            max_retries=int(around.number("max_retries", 5, low=1, high=1000)),
            max_tokens={"agent": usual, "fast": usual, "edit": tokens("edit_max_tokens")},
            temperature={
                "agent": temperature,
                "fast": around.temperature("fast_temperature", 0.01),
                "edit": temperature,
            },
            retrieval=retrieval == "true",
            snapshots=int(around.number("snapshots", 5, high=10_000)),
            model_timeout=around.number("model_timeout", 1200, low=0.1),
            model_patience=around.number("model_patience", 3600),
        )

    def command_line(self, around: Surroundings, logs: Path, work: Path, seconds: float) -> list[str]:
        """Arguments of MLAgentBench.runner."""
        steps = str(around.step_limit if around.step_limit is not None else 10**9)
        names = {role: name for name, role in ROLES.items()}
        time = str(10**9 if seconds == math.inf else max(1, math.ceil(seconds)))
        words = ["--task", TASK, "--log-dir", str(logs), "--work-dir", str(work)]
        words += ["--llm-name", names["agent"], "--fast-llm-name", names["fast"]]
        words += ["--edit-script-llm-name", names["edit"], "--max-steps", steps, "--agent-max-steps", steps]
        words += ["--max-time", time, "--max-retries", str(self.max_retries)]
        words += ["--max-steps-in-context", str(self.steps_in_context)]
        words += ["--max-observation-steps-in-context", str(self.steps_in_context)]
        return [*words, "--retrieval"] if self.retrieval else words
