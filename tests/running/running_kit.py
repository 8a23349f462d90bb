"""A tiny benchmark (one competition, an agent folder) and a sandbox that only pretends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toys import Toy, make_toy

from mlebench.errors import GatewayError, SandboxError
from mlebench.gateway.api import Door, Ticket, Usage
from mlebench.hardware.api import Lease, Share
from mlebench.running.executor import Executor
from mlebench.running.plan import open_plan
from mlebench.running.records import Attempt, RunConfig
from mlebench.running.store import RunStore
from mlebench.sandbox.base import EngineFacts, Exit, ImageFacts, SandboxSpec
from mlebench.sandbox.engine import EngineAwayError

BOARD = """
higher_is_better = true
gold = 0.9
silver = 0.8
bronze = 0.7
median = 0.6
source = "made up"
date = "2026-01-01"
"""
PERFECT = "id,y\n1,1\n2,0\n3,1\n"


@dataclass
class World:
    """Where everything of a test lies."""

    root: Path
    toy: Toy
    agent: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def config(self, **options: Any) -> RunConfig:
        facts: dict[str, Any] = {
            "name": "run",
            "agent": str(self.agent),
            "sandbox": "process",
            "competitions": ["toy"],
            "seeds": [0],
            "time_limit_seconds": 60.0,
            "grace_seconds": 1.0,
            "data_dir": str(self.root / "data"),
            "competitions_dirs": [str(self.root / "competitions")],
        }
        return RunConfig(**{**facts, **options})

    def uses_model(self) -> None:
        """The agent asks a model from now on; scripted/demo says hello to whatever it is asked."""
        with (self.agent / "agent.toml").open("a") as file:
            file.write('[options.way]\ndefault = "plain"\n[models]\n[models.roles]\nfeedback = "reviews"\n')
        (self.agent / "scripted").mkdir()
        (self.agent / "scripted" / "demo.json").write_text(
            '{"rules": [{"reply": {"text": "hello", "usage": {"input": 10, "output": 5}}}]}'
        )

    def script(self, text: str) -> None:
        """What the agent does in the process sandbox."""
        (self.agent / "agent.py").write_text(text)


def make_world(root: Path) -> World:
    toy = make_toy(root)
    (toy.competition.folder / "leaderboard.toml").write_text(BOARD)
    (toy.competition.folder / "description.md").write_text("Predict y.\n")
    agent = root / "myagent"
    agent.mkdir()
    (agent / "agent.toml").write_text('name = "myagent"\ntitle = "T"\ncommand = ["python3", "agent.py"]\n')
    (agent / "agent.py").write_text("")
    return World(root, toy, agent)


@dataclass
class Play:
    """What a pretended agent does."""

    submission: str | None = PERFECT
    seconds: float = 0.0
    exit: Exit = field(default_factory=lambda: Exit(0))
    refuse: str | None = None
    """start() fails with this."""
    megabytes: int = 0
    until: threading.Event | None = None
    """It ends when this is set, if it comes before `seconds` are over."""


class FakeSandbox:
    """Does at once what each attempt's play says; `plays(spec, try)` decides."""

    name = "fake"
    isolates = False

    def __init__(self, plays: Callable[[SandboxSpec, int], Play] | None = None) -> None:
        self._plays = plays or (lambda spec, number: Play())
        self._lock = threading.Lock()
        self.specs: list[SandboxSpec] = []
        self.running: dict[str, tuple[Play, float]] = {}
        self.ended: dict[str, Exit] = {}
        self.stopped: list[tuple[str, float]] = []
        self.removed: list[str] = []
        self.removed_names: list[str] = []
        self.most_at_once = 0
        self.silent_until = 0.0
        self.away_until = 0.0

    def check(self, image: str | None = None, runtime: str | None = None, gpus: Sequence[str] = ()) -> None:
        pass

    def disk_usage(self, handle: str) -> int:
        return 0

    def image_facts(self, image: str) -> ImageFacts | None:
        return None

    def engine_facts(self) -> EngineFacts:
        return EngineFacts(name="fake")

    def start(self, spec: SandboxSpec) -> str:
        self._answer()
        with self._lock:
            number = 1 + sum(one.name == spec.name for one in self.specs)
            self.specs.append(spec)
            play = self._plays(spec, number)
            if play.refuse is not None:
                raise SandboxError(play.refuse)
            for name in ("submission", "code", "logs"):
                (spec.outbox / name).mkdir(parents=True)
            if play.submission is not None:
                (spec.outbox / "submission" / "submission.csv").write_text(play.submission)
            if play.megabytes:
                (spec.outbox / "logs" / "big").write_bytes(b"x" * (play.megabytes << 20))
            handle = f"{spec.name}#{number}"
            self.running[handle] = (play, time.monotonic() + play.seconds)
            self.most_at_once = max(self.most_at_once, len(self.running))
            return handle

    def alive(self, handle: str) -> bool:
        self._settle()
        return handle in self.running

    def alive_named(self, name: str) -> bool:
        self._settle()
        return any(handle.startswith(f"{name}#") for handle in self.running)

    def wait(self, handle: str, seconds: float) -> Exit | None:
        deadline = time.monotonic() + seconds
        while True:
            self._answer()
            self._settle()
            if handle in self.ended:
                return self.ended[handle]
            if handle not in self.running:
                raise SandboxError(f"{handle} is gone.")
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.01)

    def stop(self, handle: str, grace_seconds: float) -> None:
        self.stopped.append((handle, grace_seconds))
        if self.running.pop(handle, None) is not None:
            self.ended[handle] = Exit(143)

    def logs(self, handle: str, destination: Path, limit_bytes: int) -> None:
        destination.write_text(f"printed by {handle}\n")

    def last_output(self, handle: str, limit_bytes: int) -> bytes:
        return f"printed by {handle}\n".encode()

    def remove(self, handle: str) -> None:
        self.running.pop(handle, None)
        self.ended.pop(handle, None)
        self.removed.append(handle)

    def remove_named(self, name: str) -> None:
        self.removed_names.append(name)
        for handle in [one for one in self.running if one.startswith(f"{name}#")]:
            self.remove(handle)

    def _answer(self) -> None:
        if time.monotonic() < self.silent_until:
            raise SandboxError("The engine does not answer.")
        if time.monotonic() < self.away_until:
            raise EngineAwayError("No engine answers.")

    def _settle(self) -> None:
        with self._lock:
            for handle, (play, end) in list(self.running.items()):
                if time.monotonic() >= end or (play.until is not None and play.until.is_set()):
                    del self.running[handle]
                    self.ended[handle] = play.exit


class Notes:
    """An observer that remembers."""

    def __init__(self, on_change: Callable[[Attempt, str], None] = lambda attempt, note: None) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.told_to_stop: int | None = None
        self.waits: list[str] = []
        self._on_change = on_change

    def changed(self, attempt: Attempt, note: str) -> None:
        self.lines.append((attempt.id, attempt.state, note))
        self._on_change(attempt, note)

    def waiting(self, why: str) -> None:
        self.waits.append(why)

    def stopping(self, running: int) -> None:
        self.told_to_stop = running


def start_run(world: World, sandbox: FakeSandbox, notes: Notes | None = None, **options: Any) -> list[Attempt]:
    """Make a new run and drive it to its end."""
    executor_options = {
        key: options.pop(key)
        for key in ("patience_seconds", "engine_patience_seconds", "gateway", "leases")
        if key in options
    }
    plan = open_plan(world.config(**options), sandbox)
    with RunStore.create(world.runs / plan.config.name, plan.config, plan.attempts) as store:
        return make_executor(store, sandbox, notes, **executor_options).run()


def resume_run(
    world: World, sandbox: FakeSandbox, notes: Notes | None = None, name: str = "run", **options: Any
) -> list[Attempt]:
    with RunStore(world.runs / name) as store:
        return make_executor(store, sandbox, notes, **options).run()


def make_executor(store: RunStore, sandbox: FakeSandbox, notes: Notes | None = None, **options: Any) -> Executor:
    plan = open_plan(store.config, sandbox)
    return Executor(store, plan, sandbox, notes or Notes(), backoff_seconds=0.01, **options)


class FakeGateway:
    """A gateway desk without a gateway: usage is what the test says."""

    def __init__(self) -> None:
        self.started = self.stopped = 0
        self.tickets: list[Ticket] = []
        self.open: set[str] = set()
        self.totals: dict[str, Usage] = {}
        self.refuses: str | None = None
        """admit and keep_up fail with this."""

    def start(self) -> None:
        self.started += 1

    def admit(self, ticket: Ticket) -> Door:
        self._fail()
        self.tickets.append(ticket)
        self.open.add(ticket.attempt)
        return Door(ticket.port or 40_000 + len(self.tickets))

    def usage(self, attempt: str) -> Usage:
        return self.totals.get(attempt, Usage())

    def dismiss(self, attempt: str) -> Usage:
        self.open.discard(attempt)
        return self.usage(attempt)

    def keep_up(self) -> None:
        self._fail()

    def stop(self) -> None:
        self.stopped += 1

    def _fail(self) -> None:
        if self.refuses is not None:
            raise GatewayError(self.refuses)


class FakeLeases:
    """Hands out `places` shares, each with a GPU of its own."""

    def __init__(self, places: int) -> None:
        self.free = [f"GPU-{number}" for number in range(places)]
        self.held: dict[str, str] = {}
        self.asked = 0
        self.adopted: list[tuple[str, Share]] = []

    def take(self, owner: str) -> Lease | None:
        self.asked += 1
        if not self.free:
            return None
        self.held[owner] = self.free.pop()
        return _FakeLease(self, owner, Share(gpus=[self.held[owner]], memory_gb=1.5))

    def waiting_for(self) -> str:
        return ""

    def adopt(self, owner: str, share: Share) -> Lease:
        self.adopted.append((owner, share))
        self.held[owner] = share.gpus[0]
        return _FakeLease(self, owner, share)


@dataclass
class _FakeLease:
    leases: FakeLeases
    owner: str
    share: Share

    def release(self) -> None:
        gpu = self.leases.held.pop(self.owner, None)
        if gpu is not None:
            self.leases.free.append(gpu)
