"""The gateway's process: python -m mlebench.gateway.service

Started by mlebench.gateway.launcher and told everything over its standard input, one JSON object a line: first the
settings (with the providers' keys), then commands, each answered by a line on standard output that repeats its
number. In between come lines with the usage of attempts that changed. It ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import json
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlebench.errors import GatewayError, MlebenchError
from mlebench.gateway.api import Replay, Ticket, Usage
from mlebench.gateway.backends import open_backends
from mlebench.gateway.check import unknown_price
from mlebench.gateway.door import Door
from mlebench.gateway.limits import Limits
from mlebench.gateway.meter import Meter
from mlebench.gateway.prices import PriceTable
from mlebench.gateway.providers import SCRIPTED, load_providers
from mlebench.gateway.quiet import limit_logging
from mlebench.gateway.scripted import ScriptedChild
from mlebench.gateway.tickets import ticket_of
from mlebench.gateway.upstream import Upstream

_PR_SET_DUMPABLE = 4
_LONGEST_LINE = 16 * 1024**2
_TELL_SECONDS = 0.05


class Service:
    """Keeps the doors and carries out commands."""

    def __init__(self, settings: dict[str, Any], out: asyncio.StreamWriter) -> None:
        self._out = out
        providers = Path(settings["providers"]) if settings["providers"] else None
        own_prices = Path(settings["prices"]) if settings["prices"] else None
        self._backends = open_backends(providers, settings["found"])
        self._prices = PriceTable(load_providers(providers), own_prices)
        self._limits = Limits(**settings["limits"])
        self._upstream = Upstream(self._limits)
        self._scripted = None
        if settings["scripts"]:
            self._scripted = ScriptedChild(Path(settings["scripts"]), Path(settings["folder"]))
        self._doors: dict[str, Door] = {}
        self._to_tell: set[str] = set()

    async def start(self) -> None:
        """Make ready to admit."""
        await self._upstream.open()
        if self._scripted is not None:
            self._backends.scripted_at(await self._scripted.start())
        self._prices.known("openai/gpt-4o", _now())  # loads the table now rather than at the first call
        gc.freeze()

    async def carry_out(self, command: dict[str, Any]) -> dict[str, Any]:
        """One command; an answer with `error` when it failed."""
        try:
            if command["do"] == "admit":
                return await self._admit(ticket_of(command["ticket"]))
            if command["do"] == "dismiss":
                return {"usage": (await self._dismiss(command["attempt"])).model_dump()}
            return {"error": f"There is no command {command['do']!r}."}
        except MlebenchError as problem:
            return {"error": str(problem)}
        except OSError as problem:
            return {"error": f"The gateway cannot serve the attempt: {problem.strerror or type(problem).__name__}."}

    async def stop(self) -> None:
        """Close every door."""
        for attempt in list(self._doors):
            with contextlib.suppress(MlebenchError, OSError):
                await self._dismiss(attempt)
        await self._upstream.close()
        if self._scripted is not None:
            await self._scripted.stop()

    async def _admit(self, ticket: Ticket) -> dict[str, Any]:
        if ticket.attempt in self._doors:
            await self._dismiss(ticket.attempt)
        if ticket.replay is not Replay.OFF and ticket.cache is None:
            raise GatewayError("Recording or replaying answers needs a folder for them.")
        provider = ticket.model.partition("/")[0]
        if provider == SCRIPTED and self._scripted is None and ticket.replay is not Replay.REPLAY:
            raise GatewayError(f"The model {ticket.model} needs scripts, and this run has none.")
        if provider not in self._backends and ticket.replay is not Replay.REPLAY:
            raise GatewayError(f"There is no provider {provider!r}, which the model {ticket.model} names.")
        if ticket.budget.usd is not None and not self._prices.known(ticket.model, _now()):
            raise GatewayError(unknown_price(ticket.model))

        meter = await asyncio.to_thread(Meter, ticket.log, ticket.budget, self._prices.version)
        changed = functools.partial(self._changed, ticket.attempt)
        door = Door(ticket, meter, self._backends, self._prices, self._upstream, self._limits, changed)
        try:
            await door.open()
        except OSError:
            await door.close()
            raise
        self._doors[ticket.attempt] = door
        self._tell(ticket.attempt)
        return {"port": door.port}

    async def _dismiss(self, attempt: str) -> Usage:
        door = self._doors.pop(attempt, None)
        if door is None:
            raise GatewayError(f"The gateway has no attempt {attempt!r}.")
        return await door.close()

    def _changed(self, attempt: str) -> None:
        """Tell the runner soon: an agent that asks a thousand things a second is told of a few times."""
        if attempt not in self._to_tell:
            self._to_tell.add(attempt)
            asyncio.get_running_loop().call_later(_TELL_SECONDS, self._tell, attempt)

    def _tell(self, attempt: str) -> None:
        self._to_tell.discard(attempt)
        door = self._doors.get(attempt)
        if door is not None:
            self._say({"attempt": attempt, "usage": door.usage.model_dump()})

    def _say(self, line: dict[str, Any]) -> None:
        if not self._out.is_closing():
            self._out.write(json.dumps(line).encode() + b"\n")

    async def serve(self, commands: asyncio.StreamReader) -> None:
        """Carry out commands until there are no more."""
        self._say({"ready": True, "prices": self._prices.version})
        working: set[asyncio.Task[None]] = set()

        async def one(command: dict[str, Any]) -> None:
            self._say({"re": command["re"], **await self.carry_out(command)})

        while line := await commands.readline():
            task = asyncio.ensure_future(one(json.loads(line)))
            working.add(task)
            task.add_done_callback(working.discard)


def _now() -> datetime:
    return datetime.now(UTC)


async def _run() -> int:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    out = asyncio.StreamWriter(transport, protocol, None, loop)
    line = await commands.readline()
    if not line:
        return 0
    try:
        service = Service(json.loads(line), out)
        await service.start()
    except MlebenchError as problem:
        out.write(json.dumps({"error": str(problem)}).encode() + b"\n")
        with contextlib.suppress(OSError):
            await out.drain()
        return 1
    try:
        await service.serve(commands)
    finally:
        await service.stop()
    return 0


def _shield() -> None:
    """Keep other processes of this user from the keys in memory, and leave Ctrl-C to the runner."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Run until the runner ends."""
    _shield()
    limit_logging()
    os.umask(0o077)
    return asyncio.run(_run())


if __name__ == "__main__":
    sys.exit(main())
