"""The egress proxy of one attempt, in a process of its own.

    python -m mlebench.egress.service '{"hosts": [...], "log": FILE, "socket": FILE or null, "port": 0}'

Started by mlebench.egress.launcher. Prints one line of JSON once it listens, ends when its standard input is closed.
When its runner is root it becomes a user of its own that owns nothing, after the log and the socket are open.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import encodings.idna
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from mlebench.egress.heads import MAX_HEAD
from mlebench.egress.proxy import Proxy
from mlebench.egress.record import Record
from mlebench.egress.rules import AllowList
from mlebench.hosting.listening import listen_at

_LOADED = (concurrent.futures.thread, encodings.idna)
"""What asyncio and name look-ups load when they are first used: once we are another user it may be out of reach."""
EGRESS_UID = 10003
"""User and group id of the proxy when its runner is root; owns nothing."""


@dataclass(frozen=True)
class Settings:
    """What the launcher asks for."""

    hosts: list[str]
    log: str
    socket: str | None
    port: int


def _give_up_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(EGRESS_UID)
        os.setuid(EGRESS_UID)


async def _run(listening: socket.socket, proxy: Proxy, record: Record) -> None:
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    start = asyncio.start_unix_server if listening.family == socket.AF_UNIX else asyncio.start_server
    server = await start(proxy.handle, sock=listening, limit=MAX_HEAD)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    # The runner's end of the pipe closes however it ends.
    loop.add_reader(0, lambda: None if os.read(0, 4096) else over.set())
    port = listening.getsockname()[1] if listening.family == socket.AF_INET else 0
    print(json.dumps({"port": port}), flush=True)
    await over.wait()
    loop.remove_reader(0)
    server.close()
    await proxy.close()
    record.close()
    os._exit(0)  # a name server that does not answer keeps a thread, and would keep us


def main() -> None:
    """Open what is needed, give up the rest, serve."""
    settings = Settings(**json.loads(sys.argv[1]))
    listening = listen_at(Path(settings.socket) if settings.socket else None, settings.port)
    record = Record(Path(settings.log), settings.hosts)
    _give_up_root()
    asyncio.run(_run(listening, Proxy(AllowList(settings.hosts), record), record))


if __name__ == "__main__":
    main()
