"""Starting, stopping and asking about the validation endpoint of one attempt."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlebench.competition import Competition
from mlebench.hosting.process import ServiceProcess
from mlebench.validation.scratch import make_scratch
from mlebench.validation.service import Settings


class ValidationService:
    """The endpoint of one attempt. Give `socket` for a container, none for a port of 127.0.0.1.

    It ends with the runner, however that ends; `start` brings it back at the same place.
    """

    def __init__(
        self,
        competition: Competition,
        sample: Path,
        log: Path,
        *,
        socket: Path | None = None,
        answers: Path | None = None,
        port: int = 0,
        max_bytes: int = 4 * 1024**3,
        seconds: float = 300.0,
        memory_gb: float = 8.0,
    ) -> None:
        """`sample`: the plain sample submission. `log`: one line of JSON a call is appended.

        `answers`: their folder, used only to find out whether the service can still read it (`protection`).
        `seconds`, `memory_gb`: limits of one validation.
        """
        self._competition = competition
        self._sample = sample
        self._log = log
        self._socket = socket
        self._answers = answers
        self._port = port
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._memory_gb = memory_gb
        self._process = ServiceProcess("The validation endpoint", log.with_name(f"{log.stem}.stderr.log"))
        self._work: Path | None = None
        self.protection = "none"
        """What keeps the service from the answers: landlock+uid, landlock, uid or none."""

    @property
    def running(self) -> bool:
        """Whether the service's process lives."""
        return self._process.running

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 (0 before the start, and with a socket)."""
        return self._port

    @property
    def url(self) -> str:
        """Where an agent without a container posts its file."""
        return f"http://127.0.0.1:{self._port}/validate"

    def start(self) -> None:
        """Start the process and wait until it listens; nothing happens when it runs already."""
        if self.running:
            return
        self.stop()
        self._work = make_scratch()
        settings = Settings(
            competition=str(self._competition.folder.resolve()),
            sample=str(self._sample.absolute()),
            log=str(self._log.absolute()),
            work=str(self._work),
            socket=str(self._socket.absolute()) if self._socket else None,
            port=self._port,
            answers=str(self._answers.absolute()) if self._answers else None,
            max_bytes=self._max_bytes,
            seconds=self._seconds,
            memory_bytes=int(self._memory_gb * 1024**3),
        )
        ready = self._process.start("mlebench.validation.service", asdict(settings))
        self._port, self.protection = ready["port"], ready["protection"]

    def stop(self) -> None:
        """End the process; what it noted stays."""
        self._process.end()
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work = None
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    def entries(self) -> list[dict[str, Any]]:
        """Every call so far, oldest first: time, valid, reason, sha256, bytes."""
        try:
            lines = self._log.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines[:-1]]  # after the last line end: nothing, or a line being written

    @property
    def calls(self) -> int:
        """How often a file was sent in."""
        return len(self.entries())

    def __enter__(self) -> ValidationService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
