"""An attempt's door to the model gateway: opened before the agent starts, kept open, closed with its totals."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from mlebench.errors import GatewayError, SandboxError
from mlebench.gateway.api import GatewayDesk, Ticket, Usage
from mlebench.running.checks import SCRIPTS
from mlebench.running.events import EventLog
from mlebench.running.folders import AttemptFolder
from mlebench.running.plan import Plan
from mlebench.running.records import Attempt, RunConfig, allowed_models
from mlebench.running.spec import budget


def open_gateway(plan: Plan, folder: Path) -> GatewayDesk | None:
    """The model gateway of a run, not started yet; None for agents without a model. `folder`: the run's."""
    config = plan.config
    if config.model is None:
        return None
    from mlebench.gateway.launcher import Gateway

    return Gateway(
        folder,
        providers=Path(config.providers_file) if config.providers_file else None,
        prices=Path(config.prices_file) if config.prices_file else None,
        scripts=plan.agent.folder / SCRIPTS,
    )


def new_key() -> str:
    """A key for one attempt; it looks like a provider's, since some clients insist on that."""
    return f"sk-mlebench-{secrets.token_urlsafe(32)}"


def ticket(config: RunConfig, attempt: Attempt, folder: AttemptFolder, socket: Path | None) -> Ticket:
    """What the gateway is asked to admit."""
    assert config.model is not None and attempt.gateway_key is not None
    return Ticket(
        attempt=attempt.id,
        key=attempt.gateway_key,
        log=folder.usage,
        model=config.model,
        models=allowed_models(config),
        budget=budget(config),
        socket=socket,
        port=attempt.gateway_port or 0,
        replay=config.replay,
        cache=Path(config.replay_dir) / attempt.id if config.replay_dir else None,
        hosted_tools=config.network == "full",
    )


class ModelDoor:
    """The door of one attempt. A gateway that is down for long is a fault of ours, and ends the try."""

    def __init__(self, desk: GatewayDesk, wanted: Ticket, log: EventLog, patience_seconds: float) -> None:
        self._desk = desk
        self._ticket = wanted
        self._log = log
        self._patience = patience_seconds
        self._down_since: float | None = None
        self._open = False
        self.port: int | None = None
        """Port of 127.0.0.1; None with a socket."""

    def open(self) -> None:
        """Open it, again after a restart of the runner; SandboxError when that cannot be."""
        try:
            self.port = self._desk.admit(self._ticket).port
        except GatewayError as error:
            raise SandboxError(f"The model gateway does not let the attempt in: {error}") from error
        self._open = True
        self._log.append("model_door", model=self._ticket.model, models=list(self._ticket.models))

    def keep_up(self) -> None:
        """Bring a dead gateway back; while that fails the agent's calls do, and the log says so once."""
        try:
            self._desk.keep_up()
        except GatewayError as error:
            now = time.monotonic()
            if self._down_since is None:
                self._down_since = now
                self._log.append("model_door_down", message=str(error))
            if now - self._down_since >= self._patience:
                raise SandboxError(f"The model gateway cannot be brought back: {error}") from error
            return
        self._down_since = None

    def usage(self) -> Usage:
        """Totals so far."""
        return self._desk.usage(self._ticket.attempt)

    def close(self) -> Usage | None:
        """Close it and return the final totals; None when it was not open."""
        if not self._open:
            return None
        self._open = False
        try:
            return self._desk.dismiss(self._ticket.attempt)
        except GatewayError as error:
            raise SandboxError(f"The model gateway does not tell the attempt's usage: {error}") from error
