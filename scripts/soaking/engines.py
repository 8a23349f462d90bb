"""Engines that may be restarted: one of the soak's own, or the one that scripts/ensure_docker.sh started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from soaking.bench_run import ROOT

IMAGE = "mlebench-agent"


class Engine(Protocol):
    """What a soak does to an engine."""

    def restart(self) -> float:
        """End it as a service manager would, start it again; seconds until it answered."""
        ...


class SharedEngine:
    """The engine whose pid is in ~/.cache/mlebench-ci/dockerd.pid; what others run in it ends too."""

    def restart(self) -> float:
        cache = Path(os.environ.get("MLEBENCH_CI_CACHE") or Path.home() / ".cache" / "mlebench-ci")
        pid = int((cache / "dockerd.pid").read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() != "dockerd":
            raise SystemExit(f"process {pid} of {cache / 'dockerd.pid'} is no engine; it is not restarted")
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        while _alive(pid):
            time.sleep(0.05)
        subprocess.run([str(ROOT / "scripts" / "ensure_docker.sh")], check=True, capture_output=True)
        return time.monotonic() - began


class OwnEngine:
    """An engine beside the others' (as root), with the agents' image."""

    def __init__(self) -> None:
        sys.path.insert(0, str(ROOT / "tests" / "sandbox"))
        from private_engine import PrivateEngine

        self._engine = PrivateEngine()

    def open(self) -> str:
        """Start it, copy the image into it; its address."""
        self._engine.start()
        saved = subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE)
        environment = os.environ | {"DOCKER_HOST": self._engine.url}
        subprocess.run(["docker", "load"], stdin=saved.stdout, env=environment, check=True, capture_output=True)
        if saved.wait():
            raise SystemExit(f"the image {IMAGE} could not be read; build it first (make image)")
        return self._engine.url

    def close(self) -> None:
        """End it and remove all that it had."""
        self._engine.remove()

    def restart(self) -> float:
        began = time.monotonic()
        self._engine.end()
        self._engine.start()
        return time.monotonic() - began


@contextmanager
def engine(kind: str | None) -> Iterator[Engine | None]:
    """`own`, `shared` or none; while an own one is there, DOCKER_HOST leads to it."""
    if kind != "own":
        yield SharedEngine() if kind == "shared" else None
        return
    own, before = OwnEngine(), os.environ.get("DOCKER_HOST")
    try:
        os.environ["DOCKER_HOST"] = own.open()
        yield own
    finally:
        own.close()
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
