"""The scripted model server as a child of the gateway's process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from mlebench.errors import GatewayError

_START_SECONDS = 30.0
_LOG_FILE = "scripted.jsonl"


class ScriptedChild:
    """Started with the gateway, started again when it dies, ended with it."""

    def __init__(self, scripts: Path, folder: Path) -> None:
        """`folder`: where its log lies; sequences go on from it after a restart."""
        self._scripts = scripts
        self._log = folder / _LOG_FILE
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start it; where it listens. GatewayError when it does not come up."""
        await self._spawn()
        self._keeper = asyncio.ensure_future(self._keep_up())
        return f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """End it."""
        if self._keeper is not None:
            self._keeper.cancel()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        with tempfile.TemporaryDirectory(prefix="mlebench-scripted-") as place:
            port_file = Path(place) / "port"
            command = [sys.executable, "-P", "-m", "mlebench.scripted", "--scripts", str(self._scripts)]
            command += ["--port", str(self._port), "--port-file", str(port_file), "--log", str(self._log)]
            process = await asyncio.create_subprocess_exec(
                *command,
                "--end-with-stdin",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env={key: os.environ[key] for key in ("PATH", "LANG", "PYTHONPATH") if key in os.environ},
            )
            deadline = asyncio.get_running_loop().time() + _START_SECONDS
            while not port_file.exists():
                if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
                    raise GatewayError("The scripted model server did not start; gateway.log says why.")
                await asyncio.sleep(0.02)
            self._port = int(port_file.read_text())
            self._process = process

    async def _keep_up(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            with contextlib.suppress(GatewayError):
                await self._spawn()
            await asyncio.sleep(0.2)
