"""What the runner asks the gateway for, and what it gets back.

The runner makes one `Ticket` an attempt, asks the gateway to `admit` it, and looks at `usage` while the attempt runs.
The gateway is a process of its own, one a run: it holds the provider keys, serves every attempt's Unix socket (or a
port where there are no containers) and appends to every attempt's log of calls. It ends with the runner; a runner that
resumes starts a new one and admits the running attempts again, whose usage so far is read back from their logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Replay(StrEnum):
    """What the cache of model answers is used for."""

    OFF = "off"
    RECORD = "record"
    """Answers are stored under the hash of their request."""
    REPLAY = "replay"
    """Answers come from the store alone; what is not there is refused. No provider is contacted."""


@dataclass(frozen=True)
class Budget:
    """Hard limits of one attempt; None is no limit. The call that finds one reached is refused, and so are all later."""

    usd: float | None = None
    tokens: int | None = None
    """Input and output together, cached input included."""
    calls: int | None = None


@dataclass(frozen=True)
class Ticket:
    """One attempt's admission to the gateway."""

    attempt: str
    key: str
    """The run-scoped key that the agent is given in place of a provider's; opens this attempt's door only."""
    log: Path
    """usage.jsonl, one line a call; on the host, never in a folder that the agent can write to."""
    model: str
    """The reference `provider/name` that is used where a request names a model without a known provider."""
    models: tuple[str, ...] = ()
    """References that may be asked for; empty allows every one that a provider is set up for."""
    budget: Budget = Budget()
    socket: Path | None = None
    """Unix socket to serve, for containers; None serves a port of 127.0.0.1."""
    port: int = 0
    """Port to serve again after a resume; 0 takes a free one."""
    replay: Replay = Replay.OFF
    cache: Path | None = None
    """Folder of recorded answers, for `record` and `replay`: one an attempt, so that seeds do not mix."""
    hosted_tools: bool = False
    """Whether tools that a provider runs itself (web search, code execution) may be asked for: they are a network."""


class Spent(BaseModel):
    """What one model took of an attempt's usage."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    tokens_in: int = 0
    tokens_out: int = 0
    usd: float | None = 0.0
    """None where its price is not known."""


class Usage(BaseModel):
    """What an attempt asked models for; totals of its log of calls."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    calls: int = 0
    """Requests that reached a model, successful or not."""
    errors: int = 0
    """Of these, the ones that ended in an error for the agent."""
    refused: int = 0
    """Requests turned away here: over budget, model not allowed, not recorded, malformed, wrong key."""
    replayed: int = 0
    """Answers that came from the cache."""
    retries: int = 0
    """Repeated tries at a provider that was busy or failing; the agent saw one call."""
    tokens_in: int = 0
    """Input tokens, cached ones included."""
    tokens_out: int = 0
    """Output tokens, reasoning included."""
    tokens_cached: int = 0
    """Part of tokens_in that the provider served from its cache."""
    tokens_reasoning: int = 0
    """Part of tokens_out that was reasoning."""
    usd: float | None = 0.0
    """Cost in dollars; None when a model was used whose price is not known."""
    unpriced: list[str] = []
    """Models whose price is not known."""
    unmetered: int = 0
    """Calls whose provider did not say how many tokens they took; these are estimated and counted."""
    prices: str | None = None
    """Name and version of the price table."""
    seconds: float = 0.0
    """Sum of the calls' durations."""
    exhausted: str | None = None
    """The budget that a call found used up ("usd", "tokens" or "calls"); None as long as no call was refused for it."""
    models: dict[str, int] = {}
    """Calls per model reference."""
    spent: dict[str, Spent] = {}
    """Tokens and dollars per model reference."""
    head: str | None = None
    """Hash of the log's last line: the log is chained like events.jsonl."""


@dataclass(frozen=True)
class Door:
    """Where an admitted attempt finds the gateway."""

    port: int | None
    """Port of 127.0.0.1; None with a socket."""


class GatewayDesk(Protocol):
    """The running gateway as the runner sees it (mlebench.gateway.launcher.Gateway); thread-safe."""

    def start(self) -> None:
        """Start the process and wait until it is ready; GatewayError (one sentence) when it cannot be."""
        ...

    def admit(self, ticket: Ticket) -> Door:
        """Open an attempt's door; again after a restart. Earlier calls in `ticket.log` count."""
        ...

    def usage(self, attempt: str) -> Usage:
        """Totals so far, from memory; cheap enough to ask every two seconds for hundreds of attempts."""
        ...

    def dismiss(self, attempt: str) -> Usage:
        """Close the door: running calls are cut and logged with what is known of them. Returns the final totals."""
        ...

    def keep_up(self) -> None:
        """Bring a dead process back, with every door that was open; GatewayError when that fails."""
        ...

    def stop(self) -> None:
        """End the process."""
        ...
