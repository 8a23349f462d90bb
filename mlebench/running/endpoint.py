"""The validation endpoint of one running attempt: kept up, and its calls brought into the event log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlebench.errors import SandboxError
from mlebench.running.events import EventLog
from mlebench.validation.launcher import ValidationService

LOGGED_CALLS = 10_000
"""Calls beyond this many are counted but not logged one by one: an agent must not fill the disk with them."""


class Endpoint:
    """A validation service that is restarted when it dies, with what was asked."""

    def __init__(self, service: ValidationService, calls: Path, log: EventLog, past: list[dict[str, Any]]) -> None:
        """`calls`: the service's own record of calls. `past`: the events of this try so far."""
        self.service = service
        self._calls = calls
        self._log = log
        self._offset = 0
        self._logged = sum(event["event"] == "validation" for event in past)
        self._down = False
        self.count = 0
        """Calls so far, as far as `note_calls` has read."""

    def start(self) -> None:
        """Start the service; SandboxError when it cannot be."""
        self.service.start()
        self._log.append("validation_endpoint", protection=self.service.protection)

    def keep_up(self) -> None:
        """Bring a dead service back; when that fails the agent goes on without, and the log says so once."""
        if self.service.running:
            return
        try:
            self.start()
            self._down = False
        except SandboxError as error:
            if not self._down:
                self._log.append("validation_endpoint_down", message=str(error))
            self._down = True

    def note_calls(self) -> None:
        """Copy new calls into the event log."""
        try:
            if self._calls.stat().st_size <= self._offset:
                return
        except FileNotFoundError:
            return
        with self._calls.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self.count += 1
                if self._logged < self.count <= LOGGED_CALLS:
                    self._log.append("validation", **_facts(line))

    def stop(self) -> None:
        """End the service and note its last calls."""
        self.service.stop()
        self.note_calls()


def _facts(line: bytes) -> dict[str, object]:
    facts = json.loads(line)
    return {key: facts.get(key) for key in ("time", "valid", "reason", "sha256", "bytes")}
