"""One attempt of an agent in a container, by hand: the runner's part as docs/agents.md describes it, and no more."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlebench.agents.agent import Agent, load_agent
from mlebench.gateway.environment import model_environment
from mlebench.registry import Registry
from mlebench.sandbox.base import Exit, Resources, SandboxSpec
from mlebench.sandbox.docker import DockerSandbox
from mlebench.sandbox.layout import GATEWAY_PORT, GATEWAY_SOCKET, VALIDATE_SOCKET
from mlebench.scripted.script import parse_script
from mlebench.scripted.server import ScriptedServer
from mlebench.validation.launcher import ValidationService

KEY = "key-of-this-attempt-7d1f"


@dataclass
class Ended:
    """What an attempt left."""

    exit: Exit | None
    """None: it had to be stopped."""
    seconds: float
    outbox: Path
    printed: str
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def claim(self) -> dict[str, Any]:
        return json.loads((self.outbox / "logs" / "outcome.json").read_text())

    @property
    def submission(self) -> Path:
        return self.outbox / "submission" / "submission.csv"


@contextmanager
def models(socket: Path, scripts: dict[str, Any]) -> Iterator[ScriptedServer]:
    """A scripted model server behind a Unix socket that anybody may use."""
    from aiohttp import web

    server = ScriptedServer({name: parse_script(one, name) for name, one in scripts.items()})
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)

    async def listen() -> None:
        await runner.setup()
        # By way of its folder: a socket's whole path may have 108 characters at most.
        folder = os.open(socket.parent, os.O_PATH | os.O_DIRECTORY)
        await web.UnixSite(runner, f"/proc/self/fd/{folder}/{socket.name}").start()
        os.close(folder)
        socket.chmod(0o666)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def attempt(
    root: Path,
    agent: Agent | str,
    data: Path,
    script: dict[str, Any] | None,
    *,
    competition: str = "practice-breast-cancer",
    seconds: float = 600,
    stop_when: str | None = None,
    grace: float = 60,
    **environment: str,
) -> Ended:
    """Run an agent in its image. `data`: prepared data. `stop_when`: SIGTERM as soon as it has printed this."""
    agent = load_agent(agent) if isinstance(agent, str) else agent
    found = Registry().get(competition)
    prepared = data / competition / "prepared"
    home = root / f"attempt-{len(list(root.glob('attempt-*')))}"
    control, outbox = home / "control", home / "outbox"
    (control / "sockets").mkdir(parents=True)
    roles = agent.facts.models.roles if agent.facts.models else {}
    spec = SandboxSpec(
        name=f"mlebench-hand-{root.name}-{home.name}".replace("_", "-"),
        image=agent.facts.image,
        command=tuple(agent.facts.command),
        agent_dir=agent.folder,
        public=prepared / "public",
        outbox=outbox,
        control=control,
        environment={
            **agent.facts.environment,
            "COMPETITION_ID": competition,
            "TIME_LIMIT_SECS": str(round(seconds)),
            "SEED": "0",
            "STEP_LIMIT": "",
            "HARDWARE": "2 processors, 2 GB of memory, no GPU",
            "SAMPLE_SUBMISSION": f"/home/data/{Path(found.facts.data.sample_submission).name}",
            **{f"OPTION_{name.upper().replace('-', '_')}": one.default for name, one in agent.facts.options.items()},
            **(model_environment(f"http://localhost:{GATEWAY_PORT}", KEY, "scripted/demo", roles) if script else {}),
            **environment,
        },
        resources=Resources(cpus=2, memory_gb=3, pids=512),
        forwards={GATEWAY_PORT: GATEWAY_SOCKET} if script else {},
        labels={"mlebench.run": "by-hand"},
    )
    sandbox = DockerSandbox()
    service = ValidationService(
        found,
        prepared / found.facts.data.sample_submission,
        home / "validations.jsonl",
        socket=control / VALIDATE_SOCKET,
        answers=prepared / "private",
        port=0,
    )
    service.start()
    try:
        with models(control / GATEWAY_SOCKET, {"demo": script} if script else {}) as server:
            started = time.monotonic()
            handle = sandbox.start(spec)
            try:
                ended = _wait(sandbox, handle, seconds + grace, stop_when, home / "agent.log")
                if ended is None:
                    sandbox.stop(handle, grace)
                    ended = sandbox.wait(handle, 5) if stop_when is not None else None
                took = time.monotonic() - started
                sandbox.logs(handle, home / "agent.log", 10_000_000)
            finally:
                sandbox.remove(handle)
            printed = (home / "agent.log").read_text(errors="replace")
            return Ended(ended, took, outbox, printed, list(server.ledger.entries))
    finally:
        service.stop()


def _wait(sandbox: DockerSandbox, handle: str, seconds: float, stop_when: str | None, log: Path) -> Exit | None:
    """Until the agent ends, has printed `stop_when`, or the time is over."""
    deadline = time.monotonic() + seconds
    while stop_when is not None and time.monotonic() < deadline:
        if (ended := sandbox.wait(handle, 0.5)) is not None:
            return ended
        sandbox.logs(handle, log, 10_000_000)
        if stop_when in log.read_text(errors="replace"):
            return None
    return sandbox.wait(handle, max(0.0, deadline - time.monotonic()))
