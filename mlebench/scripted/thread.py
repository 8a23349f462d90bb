"""The scripted server in a thread of this process, for tests and checks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlebench.scripted.ledger import Ledger
from mlebench.scripted.script import parse_script


@dataclass(frozen=True)
class Served:
    """A scripted server that listens."""

    port: int
    ledger: Ledger

    @property
    def url(self) -> str:
        """Where it listens; OpenAI clients add /v1."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve_in_thread(scripts: Path | dict[str, Any], *, port: int = 0, log: Path | None = None) -> Iterator[Served]:
    """Serve while the block runs. `scripts`: a folder, or plain scripts by name: {"demo": {"rules": [...]}}."""
    from aiohttp import web

    from mlebench.scripted.server import ScriptedServer

    known = scripts if isinstance(scripts, Path) else {name: parse_script(one, name) for name, one in scripts.items()}
    server = ScriptedServer(known, log)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)

    async def listen() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever, name="scripted-models", daemon=True)
    thread.start()
    try:
        bound = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
        yield Served(bound, server.ledger)
    finally:
        asyncio.run_coroutine_threadsafe(_end(runner), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        server.ledger.close()


async def _end(runner: Any) -> None:
    """Close the server and what still hangs in it."""
    await runner.cleanup()
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
