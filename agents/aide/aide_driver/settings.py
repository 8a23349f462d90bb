"""The attempt's settings in AIDE's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentkit.contract import Surroundings


@dataclass(frozen=True)
class Settings:
    """What the options of agent.toml say; see there for the meaning of each."""

    code_model: str
    feedback_model: str
    code_temperature: float | None
    feedback_temperature: float | None
    num_drafts: int
    debug_prob: float
    max_debug_depth: int
    k_fold: int
    exec_timeout: float
    memory_chars: int
    model_timeout: float
    model_patience: float

    @classmethod
    def read(cls, around: Surroundings) -> Settings:
        """Raises OptionError for a value that cannot be used."""
        return cls(
            code_model=around.model("code"),
            feedback_model=around.model("feedback"),
            code_temperature=around.temperature("code_temperature", 0.5),
            feedback_temperature=around.temperature("feedback_temperature", 0.5),
            num_drafts=int(around.number("num_drafts", 5, low=1, high=1000)),
            debug_prob=around.number("debug_prob", 1, high=1),
            max_debug_depth=int(around.number("max_debug_depth", 20, high=1000)),
            k_fold=int(around.number("k_fold", 5, low=1, high=100)),
            exec_timeout=around.number("exec_timeout", 32400, low=1),
            memory_chars=int(around.number("memory_chars", 200_000, low=1000)),
            model_timeout=around.number("model_timeout", 1200, low=0.1),
            model_patience=around.number("model_patience", 3600),
        )

    def overrides(self, around: Surroundings, workspace: str, logs: str) -> dict[str, Any]:
        """Keys of AIDE's configuration that differ from its defaults."""
        return {
            "data_dir": str(around.data),
            "goal": "see the task text",  # the text itself is given to the agent; one of goal and desc_file must be set
            "log_dir": logs,
            "workspace_dir": workspace,
            "exp_name": "mlebench",
            "copy_data": False,
            "generate_report": False,
            "exec.timeout": int(self.exec_timeout),
            "agent.steps": around.step_limit or 10**9,
            "agent.k_fold_validation": self.k_fold,
            "agent.code.model": self.code_model,
            "agent.feedback.model": self.feedback_model,
            # AIDE's schema wants numbers; `none` is kept by the model client, which sends no temperature then.
            "agent.code.temp": 1.0 if self.code_temperature is None else self.code_temperature,
            "agent.feedback.temp": 1.0 if self.feedback_temperature is None else self.feedback_temperature,
            "agent.search.num_drafts": self.num_drafts,
            "agent.search.debug_prob": self.debug_prob,
            "agent.search.max_debug_depth": self.max_debug_depth,
        }
