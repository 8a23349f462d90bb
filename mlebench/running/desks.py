"""The run's desks, as its configuration asks for them: the model gateway, and what hands out the machine."""

from __future__ import annotations

from pathlib import Path

from mlebench.errors import GatewayError
from mlebench.gateway.api import GatewayDesk
from mlebench.hardware.api import LeaseDesk
from mlebench.running.plan import Plan
from mlebench.running.records import RunConfig
from mlebench.sandbox.base import Sandbox


def open_gateway(plan: Plan, folder: Path) -> GatewayDesk | None:
    """The model gateway of a run, not started yet; None for agents without a model. `folder`: the run's."""
    if plan.config.model is None:
        return None
    raise GatewayError("This version has no model gateway yet.")


def open_leases(config: RunConfig, sandbox: Sandbox) -> LeaseDesk | None:
    """What hands out shares of the machine."""
    return None
