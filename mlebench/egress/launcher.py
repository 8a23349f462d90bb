"""Starting, stopping and asking about the egress proxy of one attempt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from mlebench.egress.record import EgressTotals, egress_totals
from mlebench.egress.service import Settings
from mlebench.hosting.process import ServiceProcess

_STOP_SECONDS = 5.0


class EgressProxy:
    """The proxy of one attempt. Give `socket` for a container, none for a port of 127.0.0.1.

    It ends with the runner, however that ends; `start` brings it back at the same place.
    """

    def __init__(self, hosts: Iterable[str], log: Path, socket: Path | None = None, *, port: int = 0) -> None:
        """`hosts`: as in Network.hosts. `log`: egress.jsonl, out of the agent's reach; an earlier one is gone on with."""
        self._hosts = list(hosts)
        self._log = log
        self._socket = socket
        self._port = port
        self._process = ServiceProcess("The egress proxy", log.with_name(f"{log.stem}.stderr.log"))

    @property
    def running(self) -> bool:
        """Whether the proxy's process lives."""
        return self._process.running

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 (0 before the start, and with a socket)."""
        return self._port

    def start(self) -> None:
        """Start the process and wait until it listens; SandboxError when it does not. Nothing when it runs already."""
        if self.running:
            return
        self.stop()
        if self._socket is not None:
            self._socket.parent.mkdir(parents=True, exist_ok=True)
        socket = str(self._socket.absolute()) if self._socket else None
        settings = Settings(self._hosts, str(self._log.absolute()), socket, self._port)
        self._port = self._process.start("mlebench.egress.service", asdict(settings))["port"]

    def stop(self) -> None:
        """End the process; connections are cut, and noted with what went through them."""
        self._process.end(_STOP_SECONDS)
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    def totals(self) -> EgressTotals:
        """What was asked so far."""
        return egress_totals(self._log)

    def __enter__(self) -> EgressProxy:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
