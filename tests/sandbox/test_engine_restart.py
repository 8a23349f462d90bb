"""An engine that is stopped, killed and started again while agents run: whose fault is their end?"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from toys import Attempt, Toy

from mlebench.errors import SandboxError
from mlebench.sandbox.base import Exit
from mlebench.sandbox.docker import DockerSandbox
from mlebench.sandbox.engine import EngineProcess, ended_before, ended_by_restart

sys.path.insert(0, str(Path(__file__).parent))
from private_engine import IMAGE, PrivateEngine

_SLEEP = "exec sleep 600"
_POLITE = "trap 'exit 0' TERM; sleep 600 & wait"
_CRASH = "exit 3"


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch, engine: DockerSandbox) -> Iterator[PrivateEngine]:
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("an engine of one's own needs root and dockerd")
    made = PrivateEngine()
    monkeypatch.setenv("DOCKER_HOST", made.url)
    try:
        yield made
    finally:
        made.remove()


def _start(sandbox: DockerSandbox, toy: Toy, name: str, script: str) -> str:
    attempt = Attempt(toy, "", name=name, command=("sh", "-c", script))
    return sandbox.start(replace(attempt.spec, image=IMAGE))


def _watch(sandbox: DockerSandbox, handle: str, ended: dict[str, Exit]) -> threading.Thread:
    """What a runner does: ask every now and then, with patience while nobody answers."""

    def look() -> None:
        while handle not in ended:
            try:
                over = sandbox.wait(handle, 0.5)
                if over is not None:
                    ended[handle] = over
            except SandboxError:
                time.sleep(0.2)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    return thread


@pytest.mark.docker
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_the_restart_ends_is_lost(private: PrivateEngine, toy: Toy, number: signal.Signals) -> None:
    private.start()
    private.make_image()
    watched: dict[str, Exit] = {}
    sandbox = DockerSandbox()
    sleeper = _start(sandbox, toy, "sleeper", _SLEEP)
    polite = _start(sandbox, toy, "polite", _POLITE)
    crashed = _start(sandbox, toy, "crashed", _CRASH)
    ours = _start(sandbox, toy, "ours", _SLEEP)
    over = sandbox.wait(crashed, 20)
    assert over is not None and over.code == 3 and not over.lost
    sandbox.stop(ours, 5)
    over = sandbox.wait(ours, 20)
    assert over is not None and over.code in (137, 143) and not over.lost
    threads = [_watch(sandbox, handle, watched) for handle in (sleeper, polite)]
    time.sleep(1)
    private.end(number)
    with pytest.raises(SandboxError, match="does not answer"):
        DockerSandbox().wait(sleeper, 0)
    private.start()
    for thread in threads:
        thread.join(30)
    assert watched[sleeper].lost, private.complaints()
    assert watched[polite].lost, "it answered SIGTERM with a clean end, but nobody had asked it to end"
    resumed = DockerSandbox()  # a runner that was away as well
    over = resumed.wait(sleeper, 0)
    assert over is not None and over.lost
    over = resumed.wait(crashed, 0)
    assert over is not None and over.code == 3 and not over.lost
    again = _start(resumed, toy, "again", "kill -9 $$")
    over = resumed.wait(again, 20)
    assert over is not None and over.code == 137 and not over.lost, "its own doing, under the new engine"


@pytest.mark.docker
def test_what_goes_on_is_adopted(private: PrivateEngine, toy: Toy) -> None:
    private.start("--live-restore")
    private.make_image()
    sandbox = DockerSandbox()
    handle = _start(sandbox, toy, "sleeper", "while ! [ -e /home/logs/go ]; do sleep 0.2; done; exit 5")
    assert sandbox.wait(handle, 0.5) is None
    private.end(signal.SIGKILL)
    with pytest.raises(SandboxError, match="does not answer"):
        sandbox.wait(handle, 0.5)
    private.start("--live-restore")
    assert sandbox.engine_facts().live_restore
    assert sandbox.wait(handle, 0.5) is None and sandbox.alive(handle)
    (toy.root / "runs" / "sleeper" / "outbox" / "logs" / "go").touch()
    over = sandbox.wait(handle, 20)
    assert over is not None and over.code == 5 and not over.lost
    sandbox.remove(handle)


_STATE = {"ExitCode": 137, "FinishedAt": "2026-11-28T10:00:00.123456789Z"}
_AT = 1_795_860_000.0


@pytest.mark.parametrize(
    ("code", "under", "now", "lost"),
    [
        (137, "old", EngineProcess("new", _AT + 3), True),
        (143, "old", EngineProcess("new", _AT + 3600), True),
        (255, "old", EngineProcess("new", _AT - 30), True),
        (137, "old", EngineProcess("new", _AT - 3600), False),
        (1, "old", EngineProcess("new", _AT + 3), False),
        (137, "new", EngineProcess("new", _AT - 5), False),
        (137, None, EngineProcess("new", _AT + 3), False),
        (255, "old", None, False),
    ],
)
def test_whose_fault(code: int, under: str | None, now: EngineProcess | None, lost: bool) -> None:
    assert ended_by_restart({**_STATE, "ExitCode": code}, under, now) is lost


def test_times_of_the_engine() -> None:
    assert ended_before(_STATE, _AT + 1) and not ended_before(_STATE, _AT - 1)
    assert ended_before({"FinishedAt": "nonsense"}, 0), "not known: as a crash of the machine leaves it"
