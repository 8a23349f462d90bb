"""The stage of the hostile suite: a competition with secrets all around it, and runs of the hostile agent on it."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
from running_kit import World, make_world

from mlebench.running.door import open_gateway
from mlebench.running.executor import Executor
from mlebench.running.folders import AttemptFolder
from mlebench.running.machine import open_leases
from mlebench.running.plan import open_plan
from mlebench.running.records import Attempt, RunConfig
from mlebench.running.store import RunStore
from mlebench.sandbox.docker import DockerSandbox

AGENT = Path(__file__).with_name("agent")
_PROVIDERS = """
[providers.lab]
title = "A provider of the test's own"
keys = ["HOSTILE_LAB_KEY"]
key = "required"
free = true
[providers.lab.speaks]
openai-chat = "http://127.0.0.1:{port}/v1"
"""


class _Lab(http.server.BaseHTTPRequestHandler):
    """A provider: answers every call, and remembers the keys it was shown."""

    protocol_version = "HTTP/1.1"
    keys: set[str] = set()
    calls = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        type(self).keys.add(self.headers.get("Authorization", ""))
        type(self).calls += 1
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
        body = json.dumps({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


class _Site(http.server.BaseHTTPRequestHandler):
    """The one host that an allow-list names."""

    protocol_version = "HTTP/1.1"
    paths: list[str] = []

    def do_GET(self) -> None:
        type(self).paths.append(self.path)
        body = f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@dataclass
class Deed:
    """One attempt of a run: what the store says, what lies in its folder, what the agent reports."""

    group: str
    attempt: Attempt
    folder: AttemptFolder

    @property
    def report(self) -> dict[str, Any]:
        path = self.folder.path / "logs" / "report.json"
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def notes(self) -> dict[str, Any]:
        return self.report.get("notes", {})


@dataclass
class Witness:
    """Watches a run from the host: looks at its containers, and plays the traitor who gives a key away."""

    sandbox: DockerSandbox
    runs: Path
    run: str
    keys: dict[str, str] = field(default_factory=dict)
    inspected: dict[str, str] = field(default_factory=dict)
    traitor: tuple[str, str] | None = None
    """Attempts: whose key is given, and who gets it."""

    def changed(self, attempt: Attempt, note: str) -> None:
        if attempt.gateway_key:
            self.keys[attempt.id] = attempt.gateway_key
        if note == "started" and attempt.handle:
            container = self.sandbox._client.containers.get(attempt.handle)
            self.inspected[attempt.id] = json.dumps(container.attrs)
        if self.traitor is not None and self.traitor[0] in self.keys and self.traitor[1] in self.inspected:
            path = self.runs / self.run / self.traitor[1] / "outbox" / "logs" / "neighbour_key"
            aside = path.with_name(".neighbour_key")
            aside.write_text(self.keys[self.traitor[0]])
            aside.chmod(0o644)
            aside.replace(path)
            self.traitor = None

    def stopping(self, running: int) -> None:
        raise AssertionError("nobody asked the run to stop")


class Stage:
    """Everything that is worth stealing holds `mark`."""

    def __init__(self, root: Path, sandbox: DockerSandbox, lab: int, site: int) -> None:
        self.root = root
        self.sandbox = sandbox
        self.mark = f"canary-{secrets.token_hex(12)}"
        self.lab_port, self.site_port = lab, site
        self.world: World = make_world(root)
        self.home = root / "home"
        self.key_file = root / "provider.key"
        self.witnesses: list[Witness] = []
        (self.home / ".kaggle").mkdir(parents=True)
        (self.home / ".kaggle" / "kaggle.json").write_text(json.dumps({"username": "me", "key": self.mark}))
        self.key_file.write_text(self.mark)
        (root / "providers.toml").write_text(_PROVIDERS.format(port=lab))
        (self.world.toy.private / "test.csv").write_text(f"id,y,note\n1,1,{self.mark}\n2,0,\n3,1,\n")
        neighbour = self.neighbour / "submission"
        neighbour.mkdir(parents=True)
        (neighbour / "submission.csv").write_text(self.mark)

    @property
    def runs(self) -> Path:
        return self.world.runs

    @property
    def neighbour(self) -> Path:
        return self.runs / "another-run" / "toy-s0" / "outbox"

    def environment(self) -> dict[str, str]:
        """The runner's own: full of keys."""
        return {"HOSTILE_LAB_KEY": f"sk-{self.mark}", "OPENAI_API_KEY": f"sk-{self.mark}-2", "HOME": str(self.home)}

    def perform(
        self, name: str, groups: Sequence[str], traitor: tuple[int, int] | None = None, **config: Any
    ) -> dict[str, Deed]:
        """Run one attempt for each group; seeds choose the group."""
        half = len(self.mark) // 2
        options = {
            "groups": " ".join(groups),
            "mark_1": self.mark[:half],
            "mark_2": self.mark[half:],
            "told": json.dumps(self._told(name)),
        }
        facts = self.world.config(
            name=name,
            agent=str(AGENT),
            sandbox="docker",
            seeds=list(range(len(groups))),
            options=options,
            model="lab/model-1",
            providers_file=str(self.root / "providers.toml"),
            **config,
        )
        plan = open_plan(RunConfig.model_validate(facts), self.sandbox)
        ids = [attempt.id for attempt in plan.attempts]
        witness = Witness(self.sandbox, self.runs, name)
        self.witnesses.append(witness)
        if traitor is not None:
            witness.traitor = (ids[traitor[0]], ids[traitor[1]])
        with RunStore.create(self.runs / name, plan.config, plan.attempts) as store:
            executor = Executor(
                store,
                plan,
                self.sandbox,
                witness,
                gateway=open_gateway(plan, store.folder),
                leases=open_leases(plan.config, self.sandbox),
                backoff_seconds=0.1,
            )
            done = executor.run()
        return {
            group: Deed(group, attempt, AttemptFolder(self.runs / name / attempt.id))
            for group, attempt in zip(groups, done, strict=True)
        }

    def _told(self, name: str) -> dict[str, Any]:
        addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
        return {
            "answers": str(self.world.toy.private / "test.csv"),
            "runs": str(self.runs),
            "store": str(self.runs / name / "run.sqlite"),
            "neighbour": str(self.neighbour),
            "key_file": str(self.key_file),
            "home": str(self.home),
            "host_addresses": [one for one in addresses if ":" not in one],
            "host_ports": [self.lab_port],
            "host_name": socket.gethostname(),
            "allowed": f"127.0.0.1:{self.site_port}",
        }

    def contents(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """Every file that the runs left, open; snapshots are packed and so looked into."""
        for path in self.runs.rglob("*"):
            if path.is_file() and not path.is_symlink() and self.neighbour not in path.parents:
                with path.open("rb") as file:
                    yield path, file
                if path.parent.name == "snapshots" and path.suffix == ".gz":
                    with gzip.open(path) as unpacked:
                        yield path, unpacked  # type: ignore[misc]


@contextmanager
def open_stage(root: Path, sandbox: DockerSandbox) -> Iterator[Stage]:
    """A stage with its two servers; the environment is full of secrets meanwhile."""
    _Lab.keys, _Lab.calls, _Site.paths = set(), 0, []
    with _serving(_Lab) as lab, _serving(_Site) as site, pytest.MonkeyPatch.context() as patch:
        stage = Stage(root, sandbox, lab, site)
        for name, value in stage.environment().items():
            patch.setenv(name, value)
        patch.setattr("mlebench.running.outputs._ELSEWHERE_SECONDS", 2.0)  # a minute, for honest agents
        patch.setenv("MLEBENCH_LEASES_DIR", str(root / "leases"))
        yield stage


def lab_keys() -> set[str]:
    """The keys that the provider was shown."""
    return _Lab.keys


def site_paths() -> list[str]:
    """What the allowed host was asked for."""
    return _Site.paths


def leftovers(root: Path) -> list[str]:
    """Processes of ours that still run, sockets and scratch folders that still lie about."""
    found = []
    needle = os.fsencode(root)
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if needle in words or (parent == os.getpid() and b"mlebench." in words):
            found.append(f"process {folder.name}: {words.replace(bytes(1), b' ').decode('utf-8', 'replace')[:200]}")
    found += [f"socket {path}" for path in root.rglob("*.sock")]
    found += [f"folder {path}" for path in Path("/tmp").glob(f"mlebench-validation-{os.getpid()}-*")]
    return found + [f"folder {path}" for path in root.rglob("outbox") if "another-run" not in path.parts]
