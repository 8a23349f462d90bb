"""A script: rules that say which request gets which answer, read from a JSON file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mlebench.errors import UsageError
from mlebench.gateway.wire import Speech


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, populate_by_name=True)


class ToolCall(_Facts):
    """One call of a tool."""

    name: str
    arguments: dict[str, Any] | str = {}
    """An object; or a string, which is sent as it is (for malformed arguments)."""

    @property
    def text(self) -> str:
        """The arguments as they are sent."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


class StatedUsage(_Facts):
    """Tokens that an answer states; what is left out is estimated from the number of characters."""

    input: int | None = Field(default=None, ge=0)
    """Cached input included."""
    output: int | None = Field(default=None, ge=0)
    """Reasoning included."""
    cached: int = Field(default=0, ge=0)
    reasoning: int = Field(default=0, ge=0)


class Reply(_Facts):
    """One answer, or a fault in its place."""

    text: str | None = None
    """The assistant's text."""
    tool: list[ToolCall] = []
    """Tool calls: an object or a list of them."""
    usage: StatedUsage | None = None
    chunks: int | None = Field(default=None, ge=1)
    """Pieces that the text is streamed in; left out: pieces of 40 characters."""
    pace: float = Field(default=0.0, ge=0)
    """Seconds between two pieces of a stream."""
    delay: float = Field(default=0.0, ge=0)
    """Seconds before anything is answered."""
    status: int | None = Field(default=None, ge=400, le=599)
    """Answer with this HTTP status and an error instead."""
    error: str | None = None
    """The error's sentence."""
    code: str | None = None
    """The error's word for programs, such as budget_exhausted."""
    headers: dict[str, str] = {}
    """Further headers of the answer, such as Retry-After."""
    hang: bool = False
    """Never answer, until the client goes away."""
    drop: bool = False
    """Close the connection without an answer."""
    drop_after: int | None = Field(default=None, ge=0)
    """Close the connection after so many pieces of the stream (of a plain answer: in its middle)."""
    state_usage: bool = True
    """False: the answer does not say how many tokens it took."""

    @field_validator("tool", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class Rule(_Facts):
    """Conditions, all of which must hold, and the answers in the order in which they are given."""

    name: str | None = None
    """For the log; left out: rule0, rule1, ..."""
    endpoint: Speech | None = None
    """The protocol of the request, such as openai-chat. Embeddings are scripted only by rules that name them."""
    has_tool: str | None = None
    """The request offers a tool of this name."""
    no_tools: bool = False
    """The request offers no tools."""
    match: re.Pattern[str] | None = None
    """Regular expression, searched in all text of the request; `.` meets line ends too."""
    match_last: re.Pattern[str] | None = Field(default=None, validation_alias=AliasChoices("match_last", "last"))
    """Regular expression, searched in the text of the last message."""
    model: re.Pattern[str] | None = None
    """Regular expression, searched in the model's name."""
    times: int | None = Field(default=None, ge=1)
    """The rule is spent after so many uses in a session."""
    replies: list[Reply] = Field(min_length=1)
    """One a use; the last one is repeated. `reply`: a single one."""

    @model_validator(mode="before")
    @classmethod
    def _single(cls, value: Any) -> Any:
        if isinstance(value, dict) and "reply" in value:
            if "replies" in value:
                raise ValueError("a rule has either reply or replies")
            value = {**value, "replies": [value["reply"]]}
            del value["reply"]
        return value

    @field_validator("match", "match_last", mode="after")
    @classmethod
    def _dot_all(cls, value: re.Pattern[str] | None) -> re.Pattern[str] | None:
        return None if value is None else re.compile(value.pattern, re.DOTALL)

    def meets(self, speech: Speech, model: str, tools: list[str], texts: list[str]) -> bool:
        """Whether a request fulfils every condition."""
        if self.endpoint is not None and speech is not self.endpoint:
            return False
        if speech is Speech.EMBEDDINGS and self.endpoint is None:
            return False
        if (self.has_tool is not None and self.has_tool not in tools) or (self.no_tools and tools):
            return False
        if self.model is not None and not self.model.search(model):
            return False
        if self.match is not None and not self.match.search("\n".join(texts)):
            return False
        return self.match_last is None or bool(self.match_last.search(texts[-1] if texts else ""))


class Script(_Facts):
    """A whole script file: {"rules": [...]}. The first rule that meets the request answers."""

    description: str = ""
    rules: list[Rule] = Field(min_length=1)

    def rule_name(self, number: int) -> str:
        """The rule's own name, or rule<number>."""
        return self.rules[number].name or f"rule{number}"


def load_script(path: Path) -> Script:
    """Read a script file; UsageError with one sentence that names file and key."""
    try:
        values = json.loads(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"The script {path} cannot be read: {problem.strerror}.") from None
    except ValueError as problem:
        raise UsageError(f"{path} is not valid JSON: {problem}.") from None
    return parse_script(values, str(path))


def parse_script(values: Any, where: str = "the script") -> Script:
    """A script from plain data ({"rules": [...]} or the list of rules)."""
    try:
        return Script.model_validate({"rules": values} if isinstance(values, list) else values)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        complaint = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise UsageError(f"{where}, key {key}: {complaint}.") from None
