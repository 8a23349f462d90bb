"""Starting, telling and stopping the gateway's process: the runner's side of it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mlebench.errors import GatewayError
from mlebench.gateway.api import Door, Ticket, Usage
from mlebench.gateway.backends import resolve
from mlebench.gateway.limits import Limits
from mlebench.gateway.providers import load_providers
from mlebench.gateway.tickets import ticket_facts
from mlebench.hosting.process import start_module

_START_SECONDS = 60.0
_ANSWER_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LOG_FILE = "gateway.log"
_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Gateway:
    """The gateway of one run (the contract GatewayDesk). Thread-safe."""

    def __init__(
        self,
        folder: Path,
        *,
        providers: Path | None = None,
        prices: Path | None = None,
        scripts: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`folder`: the run's, for gateway.log and scripted.jsonl. `providers`, `prices`: files of the user's own.

        `scripts`: a folder of NAME.json, for the models scripted/NAME.
        """
        self._folder = folder
        self._providers = providers
        self._prices = prices
        self._scripts = scripts
        self._limits = limits or Limits()
        self._lock = threading.RLock()
        self._process: _Process | None = None
        self._open: dict[str, Ticket] = {}
        self._usage: dict[str, Usage] = {}

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        with self._lock:
            return self._process is not None and self._process.alive

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process and wait until it is ready; GatewayError or UsageError (one sentence) when it cannot be."""
        with self._lock:
            if self.running:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            settings = {
                "folder": str(self._folder.absolute()),
                "providers": _text(self._providers),
                "prices": _text(self._prices),
                "scripts": _text(self._scripts),
                "limits": asdict(self._limits),
                "found": resolve(load_providers(self._providers)),
            }
            self._process = _Process(self._folder / _LOG_FILE, settings, self._note)

    def admit(self, ticket: Ticket) -> Door:
        """Open an attempt's door; again after a restart. Earlier calls in `ticket.log` count."""
        with self._lock:
            ticket = replace(
                ticket,
                log=ticket.log.absolute(),
                socket=ticket.socket and ticket.socket.absolute(),
                cache=ticket.cache and ticket.cache.absolute(),
            )
            answer = self._ask({"do": "admit", "ticket": ticket_facts(ticket)})
            port = answer["port"]
            self._open[ticket.attempt] = ticket if port is None else replace(ticket, port=port)
            return Door(port)

    def usage(self, attempt: str) -> Usage:
        """Totals so far, from memory; GatewayError for an attempt that was never admitted."""
        found = self._usage.get(attempt)
        if found is None:
            raise GatewayError(f"The gateway has no attempt {attempt!r}.")
        return found

    def dismiss(self, attempt: str) -> Usage:
        """Close the door: running calls are cut and logged with what is known of them. Returns the final totals."""
        with self._lock:
            if attempt not in self._open:
                return self.usage(attempt)
            if not self.running:
                self.keep_up()
            usage = Usage(**self._ask({"do": "dismiss", "attempt": attempt})["usage"])
            del self._open[attempt]
            self._usage[attempt] = usage
            return usage

    def keep_up(self) -> None:
        """Bring a dead process back, with every door that was open; GatewayError when that fails."""
        with self._lock:
            if self.running:
                return
            if self._process is not None:
                self._process.end(0.0)
            self.start()
            for ticket in list(self._open.values()):
                self.admit(ticket)

    def stop(self) -> None:
        """End the process; doors that are still open are closed and their logs ended."""
        with self._lock:
            if self._process is not None:
                self._process.end(_STOP_SECONDS)
                self._process = None
            self._open.clear()

    def __enter__(self) -> Gateway:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            raise GatewayError("The model gateway is not running.")
        answer = self._process.ask(command)
        if "error" in answer:
            raise GatewayError(answer["error"])
        return answer

    def _note(self, attempt: str, usage: dict[str, Any]) -> None:
        self._usage[attempt] = Usage(**usage)


class _Process:
    """The process and the two pipes."""

    def __init__(self, log: Path, settings: dict[str, Any], note: Any) -> None:
        self._log = log
        self._note = note
        self._writing = threading.Lock()
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._news = threading.Condition()
        self._ready: dict[str, Any] | None = None
        self._over = False
        with log.open("ab") as complaints:
            self._process = start_module("mlebench.gateway.service", complaints=complaints, **_environment())
        self._reader = threading.Thread(target=self._read, name="gateway-reader", daemon=True)
        self._reader.start()
        self._write(settings)
        with self._news:
            self._news.wait_for(lambda: self._ready is not None or self._over, _START_SECONDS)
        if self._ready is None or "error" in self._ready:
            self.end(0.0)
            told = self._ready["error"] if self._ready else f"The model gateway did not start; {self._log} says why."
            raise GatewayError(told)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a command, wait for its answer."""
        self._number += 1
        number = self._number
        self._write({**command, "re": number})
        with self._news:
            self._news.wait_for(lambda: number in self._answers or self._over, _ANSWER_SECONDS)
            answer = self._answers.pop(number, None)
        if answer is None:
            raise GatewayError(f"The model gateway does not answer; {self._log} may say why.")
        return answer

    def end(self, seconds: float) -> None:
        """Close its input, which ends it; kill it when that takes longer than `seconds`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5.0)

    def _write(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with self._writing:
            try:
                self._process.stdin.write(json.dumps(line).encode() + b"\n")
                self._process.stdin.flush()
            except (OSError, ValueError):
                raise GatewayError(f"The model gateway has died; {self._log} may say why.") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for text in lines:
                line = json.loads(text) if text.endswith(b"\n") else {}
                if "attempt" in line:
                    self._note(line["attempt"], line["usage"])
                    continue
                with self._news:
                    if "re" in line:
                        self._answers[line["re"]] = line
                    elif self._ready is None:
                        self._ready = line
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


def _environment() -> dict[str, str]:
    """What the process needs of ours; keys go through the pipe, not through here."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    for name in _PROXIES:
        passed |= {one: os.environ[one] for one in (name, name.upper()) if one in os.environ}
    return passed


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
