"""The records and exceptions that the launcher uses."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any


class EnhancedJSONEncoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return dataclasses.asdict(o) if dataclasses.is_dataclass(o) else getattr(o, "__name__", str(o))


class EnvException(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class ActionInfo:
    name: str
    usage: dict
    function: Any


@dataclass(frozen=True)
class Action:
    name: str
    args: Any


@dataclass(frozen=True)
class Step:
    action: Action
    observation: str
    timestamp: float


@dataclass
class Trace:
    steps: list = field(default_factory=list)
    low_level_steps: list = field(default_factory=list)
