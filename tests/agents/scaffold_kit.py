"""Drives a scaffold as the runner would: a sandbox, a model behind a socket, the environment of docs/agents.md."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlebench.agents.agent import Agent, load_agent
from mlebench.data.paths import PreparedPaths
from mlebench.gateway.environment import model_environment
from mlebench.grading.grade import grade_submission
from mlebench.grading.report import GradeReport
from mlebench.registry import Registry
from mlebench.sandbox.base import Exit, Resources, Sandbox, SandboxSpec
from mlebench.sandbox.layout import GATEWAY_PORT, GATEWAY_SOCKET, VALIDATE_SOCKET
from mlebench.scripted.thread import serve_in_thread
from mlebench.validation.launcher import ValidationService

COMPETITION = "practice-breast-cancer"


@contextmanager
def relay(unix_socket: Path, port: int) -> Iterator[None]:
    """Makes a port of this machine reachable as a Unix socket: the gateway's place without the gateway."""
    server = socket.socket(socket.AF_UNIX)
    folder = os.open(unix_socket.parent, os.O_DIRECTORY)
    server.bind(f"/proc/self/fd/{folder}/{unix_socket.name}")  # however long the path is
    os.close(folder)
    unix_socket.chmod(0o777)
    server.listen(64)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", port))
            for one, other in ((client, upstream), (upstream, client)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@dataclass
class Outcome:
    """What an attempt left."""

    exit: Exit
    outbox: Path
    printed: str
    seconds: float
    requests: list[Any]
    """Ledger of the model server."""
    grade: GradeReport | None = None

    @property
    def claim(self) -> dict[str, Any]:
        return dict(json.loads((self.outbox / "logs" / "outcome.json").read_text()))

    @property
    def submission(self) -> Path:
        return self.outbox / "submission" / "submission.csv"

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A log of JSON lines below logs/."""
        return [json.loads(line) for line in (self.outbox / "logs" / name).read_text().splitlines()]


@dataclass
class Bench:
    """Runs one agent on the prepared practice competition."""

    agent: Agent
    sandbox: Sandbox
    prepared: PreparedPaths
    home: Path
    time_limit: float = 240
    step_limit: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    grace: float = 20.0
    environment: dict[str, str] = field(default_factory=dict)
    """Further variables."""
    validation: bool = False
    """Whether the validation endpoint is there."""

    def run(self, script: Mapping[str, Any], *, stop_when: str | None = None, seconds: float = 300) -> Outcome:
        """Run to the end with this scripted model; `stop_when`: ask it to end (SIGTERM) once that file is there."""
        name = f"mlebench-test-{uuid.uuid4().hex[:10]}"
        home = self.home / name
        outbox, control = home / "outbox", home / "control"
        (control / "sockets").mkdir(parents=True)
        in_container = self.sandbox.name == "docker"
        with ExitStack() as services:
            served = services.enter_context(serve_in_thread({"demo": script}))
            services.enter_context(relay(control / GATEWAY_SOCKET, served.port))
            if self.validation:
                socket = control / VALIDATE_SOCKET if in_container else None
                sample, calls = self.prepared.public / "sample_submission.csv", home / "calls.jsonl"
                service = ValidationService(Registry().get(COMPETITION), sample, calls, socket=socket)
                services.enter_context(service)
                if not in_container:
                    self.environment["VALIDATE_URL"] = service.url
            url = f"http://localhost:{GATEWAY_PORT}" if in_container else served.url
            started = time.monotonic()
            handle = self.sandbox.start(
                SandboxSpec(
                    name=name,
                    image=self.image or self.agent.facts.image,
                    command=tuple(self.agent.facts.command),
                    agent_dir=self.agent.folder,
                    public=self.prepared.public,
                    outbox=outbox,
                    control=control,
                    environment=self._environment(url, in_container),
                    resources=Resources(memory_gb=2, cpus=2, pids=256),
                    forwards={GATEWAY_PORT: GATEWAY_SOCKET} if in_container else {},
                    labels={"mlebench.run": "test", "mlebench.attempt": name},
                )
            )
            try:
                if stop_when is not None:
                    _wait_for(outbox / stop_when, seconds)
                    self.sandbox.stop(handle, self.grace)
                ended = self.sandbox.wait(handle, seconds)
                self.sandbox.logs(handle, home / "agent.log", 1_000_000)
            finally:
                self.sandbox.remove(handle)
        printed = (home / "agent.log").read_text(errors="replace")
        assert ended is not None, f"still running after {seconds:.0f} s:\n{printed}"
        outcome = Outcome(ended, outbox, printed, time.monotonic() - started, list(served.ledger.entries))
        if outcome.submission.exists():
            outcome.grade = grade_submission(Registry().get(COMPETITION), outcome.submission, self.prepared)
        return outcome

    def _environment(self, url: str, in_container: bool) -> dict[str, str]:
        facts = self.agent.facts
        options = {name: option.default for name, option in facts.options.items()} | self.options
        data = Path("/home/data") if in_container else self.prepared.public
        roles = facts.models.roles if facts.models else {}
        return {
            **model_environment(url, "key-of-the-attempt", "scripted/demo", roles),
            **{"OPTION_" + name.upper().replace("-", "_"): value for name, value in options.items()},
            "COMPETITION_ID": COMPETITION,
            "TIME_LIMIT_SECS": f"{self.time_limit:g}",
            "STEP_LIMIT": "" if self.step_limit is None else str(self.step_limit),
            "SEED": "0",
            "HARDWARE": "2 processors, 2 GB of memory, no GPU",
            "SAMPLE_SUBMISSION": str(data / "sample_submission.csv"),
            **self.environment,
        }


def _wait_for(path: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)


def prepare_practice(root: Path) -> PreparedPaths:
    """The practice competition on real data that ships with mlebench."""
    competition = Registry().get(COMPETITION)
    paths = PreparedPaths(root, root / "prepared")
    for folder in (paths.raw, paths.public, paths.private):
        folder.mkdir(parents=True)
    competition.make_raw(paths.raw)
    competition.prepare(paths.raw, paths.public, paths.private)
    (paths.public / "description.md").write_text(competition.description, encoding="utf-8")
    for path in (root, *paths.public.rglob("*")):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    return paths


def open_to_others(folder: Path) -> None:
    """Let the agent's user reach what lies below pytest's private folders."""
    for path in (folder, *folder.parents[:2]):
        path.chmod(path.stat().st_mode | 0o011)


def build_image(name: str, lock: Path) -> str:
    """The image of a built-in agent, built like a user would; tests in other processes wait for it."""
    from agents_kit import need_engine

    from mlebench.agents.building import BuildOptions, ensure_image
    from mlebench.agents.images import recipe_of

    engine = need_engine()
    recipe = recipe_of(load_agent(name))
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ensure_image(
            recipe, engine, BuildOptions({}, network=os.environ.get("MLEBENCH_BUILD_NETWORK", "host")), Quiet()
        )
    return recipe.image


class Quiet:
    """A BuildWatch that shows nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


def react_step(action: str, **arguments: Any) -> dict[str, Any]:
    """A scripted answer in the form that ReAct agents here want."""
    entries = {
        "Reflection": "seen",
        "Research Plan and Status": "1. go on",
        "Fact Check": "nothing new",
        "Thought": "now",
        "Action": action,
        "Action Input": json.dumps(arguments),
    }
    return {"text": "\n".join(f"{name}: {value}" for name, value in entries.items()) + "\n"}
