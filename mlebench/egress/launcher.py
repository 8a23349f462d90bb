"""Starting, stopping and asking about the egress proxy of one attempt."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import mlebench
from mlebench.egress.record import EgressTotals, egress_totals
from mlebench.egress.service import Settings
from mlebench.errors import SandboxError

_START_SECONDS = 30.0
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
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the proxy's process lives."""
        return self._process is not None and self._process.poll() is None

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
        with self._complaints.open("ab") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mlebench.egress.service", json.dumps(asdict(settings))],
                env={
                    "PATH": os.defpath,
                    "LANG": "C.UTF-8",
                    "PYTHONPATH": str(Path(mlebench.__file__).resolve().parents[1]),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,  # Ctrl-C in the terminal is for the runner, which stops us in its order
            )
        assert self._process.stdout is not None
        line = b""
        if select.select([self._process.stdout], [], [], _START_SECONDS)[0]:
            line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise SandboxError(f"The egress proxy did not start; {self._complaints} says why.")
        self._port = json.loads(line)["port"]

    def stop(self) -> None:
        """End the process; connections are cut, and noted with what went through them."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
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

    @property
    def _complaints(self) -> Path:
        return self._log.with_name(f"{self._log.stem}.stderr.log")
