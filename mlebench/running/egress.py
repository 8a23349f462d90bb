"""The egress proxy of one running attempt (`--network allow=HOST,...`): kept up, and what was asked summed up."""

from __future__ import annotations

from mlebench.egress.launcher import EgressProxy
from mlebench.errors import SandboxError
from mlebench.running.events import EventLog


class EgressDoor:
    """An egress proxy that is restarted when it dies; while it cannot be, the agent has no network."""

    def __init__(self, proxy: EgressProxy, log: EventLog) -> None:
        self.proxy = proxy
        self._log = log
        self._down = False
        self._closed = False

    def open(self) -> None:
        """Start the proxy; SandboxError when it cannot be."""
        self.proxy.start()

    def keep_up(self) -> None:
        """Bring a dead proxy back; the log says once when that fails."""
        if self.proxy.running:
            return
        try:
            self.proxy.start()
            self._down = False
        except SandboxError as error:
            if not self._down:
                self._log.append("egress_proxy_down", message=str(error))
            self._down = True

    def close(self) -> None:
        """End the proxy and note what was asked of it."""
        if self._closed:
            return
        self._closed = True
        self.proxy.stop()
        self._log.append("egress", **self.proxy.totals().model_dump(mode="json"))
