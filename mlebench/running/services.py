"""The host's side of a running attempt: validation endpoint, model door, egress proxy, telemetry; handled as one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlebench.egress.launcher import EgressProxy
from mlebench.errors import SandboxError
from mlebench.gateway.api import Usage
from mlebench.hardware.api import Telemetry
from mlebench.hardware.telemetry import Sampler
from mlebench.running.door import ModelDoor, ticket
from mlebench.running.egress import EgressDoor
from mlebench.running.endpoint import Endpoint
from mlebench.running.events import EventLog
from mlebench.running.facts import RunFacts
from mlebench.running.files import sha256_of
from mlebench.running.folders import AttemptFolder
from mlebench.running.records import Attempt
from mlebench.running.site import Site
from mlebench.running.spec import Endpoints, in_container, validation_service
from mlebench.sandbox.base import Network
from mlebench.sandbox.layout import EGRESS_SOCKET, GATEWAY_SOCKET


@dataclass(frozen=True)
class Totals:
    """What the services counted, when they were closed."""

    validations: int
    usage: Usage | None
    telemetry: Telemetry | None


class Services:
    """The services of one attempt; used by its thread."""

    def __init__(
        self, site: Site, attempt: Attempt, folder: AttemptFolder, log: EventLog, past: list[dict[str, Any]]
    ) -> None:
        """`past`: the events of this try so far."""
        config = site.plan.config
        self._validation = validation_service(site.plan, attempt, folder, site.sandbox)
        self._endpoint = Endpoint(self._validation, folder.calls, log, past)
        self._door: ModelDoor | None = None
        if site.gateway is not None and config.model is not None:
            socket = _socket(folder, GATEWAY_SOCKET) if in_container(site.sandbox) else None
            wanted = ticket(config, attempt, folder, socket)
            self._door = ModelDoor(site.gateway, wanted, log, site.patience_seconds)

        self._egress: EgressDoor | None = None
        network = Network.parse(config.network)
        if network.mode == "allow":
            proxy = EgressProxy(network.hosts, folder.egress, _socket(folder, EGRESS_SOCKET))
            self._egress = EgressDoor(proxy, log)

        self._sampler = Sampler(attempt.share, folder.telemetry) if attempt.share and attempt.share.gpus else None

    def open(self) -> Endpoints:
        """Start everything; SandboxError when something cannot be. Says where an agent on this host finds it."""
        if self._sampler is not None:
            self._sampler.start()
        if self._door is not None:
            self._door.open()
        if self._egress is not None:
            self._egress.open()
        self._endpoint.start()
        return self.endpoints

    def reopen(self) -> None:
        """Take up the services of an attempt that was taken over; the model door at once, for its totals."""
        if self._sampler is not None:
            self._sampler.start()
        if self._door is not None:
            self._door.open()

    @property
    def endpoints(self) -> Endpoints:
        """Where an agent without a container finds the services; in one they are at the ports of the layout."""
        validate = self._validation.url if self._validation.port else None
        return Endpoints(validate_url=validate, gateway_port=self._door.port if self._door else None)

    def ports(self) -> dict[str, int | None]:
        """The ports to be served again after a restart, as fields of the attempt's record."""
        return {
            "validate_port": self._validation.port or None,
            "gateway_port": self._door.port if self._door is not None else None,
        }

    def look_after(self) -> None:
        """Bring back what died, and note what was asked meanwhile."""
        self._endpoint.keep_up()
        self._endpoint.note_calls()
        if self._egress is not None:
            self._egress.keep_up()
        if self._door is not None:
            self._door.keep_up()

    def usage(self) -> Usage | None:
        """What the agent asked models for so far."""
        return self._door.usage() if self._door is not None else None

    def telemetry(self) -> Telemetry | None:
        """What it used of its GPUs so far; None without GPUs."""
        return self._sampler.summary() if self._sampler is not None else None

    @property
    def protection(self) -> str:
        """What keeps the validation service from the answers."""
        return self._validation.protection

    @property
    def validations(self) -> int:
        """Validation calls so far."""
        return self._endpoint.count

    def close(self) -> Totals:
        """End everything, each whatever happens to the others; may be repeated."""
        with ExitStack() as stack:
            stack.callback(self._endpoint.stop)
            if self._egress is not None:
                stack.callback(self._egress.close)
            if self._sampler is not None:
                stack.callback(self._sampler.stop)
            usage = self._door.close() if self._door is not None else None
        return Totals(self._endpoint.count, usage, self.telemetry())


def note_environment(
    facts: RunFacts, attempt: Attempt, services: Services, folder: AttemptFolder, log: EventLog
) -> str | None:
    """Write environment.json of an attempt whose agent was started, and return the image's id where there is one."""
    usage = services.usage()
    prices = usage.prices if usage is not None else None
    try:
        environment = facts.environment(attempt, protection=services.protection, prices=prices)
    except SandboxError as error:  # no reason to end an agent that runs
        log.append("environment_unknown", message=str(error))
        return None
    environment.write(folder.path)
    log.append("environment", sha256=sha256_of(folder.environment))
    return environment.image.id if environment.image is not None else None


def _socket(folder: AttemptFolder, name: str) -> Path:
    path = folder.control / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
