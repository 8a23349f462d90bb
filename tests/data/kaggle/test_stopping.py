"""Ctrl-C: whatever is waited for, the command ends within a moment and says so; and waits are told."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kaggle_server import Contest, FakeKaggle

from mlebench.data.kaggle.workers import Workers
from mlebench.data.staging import WAITING, locked
from mlebench.errors import DataError

CLI = Path(__file__).parents[2] / "kaggle_cli.py"
IDS = ["spaceship-titanic", "leaf-classification", "random-acts-of-pizza"]
PATIENT = "30"
"""Seconds of silence that the command bears, so that nothing but Ctrl-C can end it in time."""


@contextmanager
def started(kaggle: FakeKaggle, *words: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"KAGGLE_TEST_ENDPOINT": kaggle.endpoint, "KAGGLE_TEST_PATIENCE": PATIENT}
    process = subprocess.Popen(
        [sys.executable, str(CLI), *words],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def interrupted(process: subprocess.Popen[str], waits: Callable[[], bool]) -> str:
    """What the command says when Ctrl-C comes while it waits."""
    deadline = time.monotonic() + 30
    while not waits() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - began < 4, said
    assert process.returncode == 130 and "Interrupted." in said and "Traceback" not in said, said
    return said


@contextmanager
def held(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("source", ["kaggle", "synthetic"])
def test_waiting_for_another_process(kaggle: FakeKaggle, tmp_path: Path, source: str) -> None:
    kaggle.contests[IDS[0]] = Contest(b"x")
    words = ["prepare", IDS[0], "--source", source, "--data-dir", str(tmp_path)]
    with held(tmp_path / IDS[0]), started(kaggle, *words) as process:
        waited = threading.Event()
        lines: list[str] = []

        def read() -> None:
            for line in process.stderr:
                lines.append(line)
                if WAITING in line:
                    waited.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert waited.wait(30), lines
        os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()
        assert process.wait(20) == 130 and time.monotonic() - began < 4
        reader.join()
        assert "Interrupted." in "".join(lines) and "Traceback" not in "".join(lines)


@pytest.mark.parametrize(
    "words", [("prepare", "--check-rules", *IDS), ("prepare", *IDS), ("doctor", "--kaggle", "--split", "lite")]
)
def test_waiting_because_kaggle_asks_to(kaggle: FakeKaggle, words: tuple[str, ...], tmp_path: Path) -> None:
    kaggle.contests = {name: Contest(b"x") for name in IDS}
    kaggle.busy_after = 1
    with started(kaggle, *words, "--data-dir", str(tmp_path)) as process:
        said = interrupted(process, lambda: kaggle.calls["DownloadDataFiles"] > 2)
    assert "too many requests, trying again in" in said


def test_waiting_for_an_answer_about_rules(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests = {name: Contest(b"x", silent_for=0 if name == IDS[0] else 20) for name in IDS}
    with started(kaggle, "prepare", *IDS, "--data-dir", str(tmp_path)) as process:
        interrupted(process, lambda: kaggle.calls["DownloadDataFiles"] > 2)


def test_waiting_for_a_leaderboard(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests = {name: Contest(b"x") for name in IDS}
    kaggle.failures = [(429, {"Retry-After": "500"})]
    with started(kaggle, "leaderboard", "fetch", *IDS, "--data-dir", str(tmp_path)) as process:
        said = interrupted(process, lambda: kaggle.calls["GetLeaderboard"] > 0)
    assert "too many requests, trying again in" in said


def test_waiting_for_the_first_byte_of_a_download(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests[IDS[0]] = Contest(b"x" * 1000)
    with started(kaggle, "prepare", IDS[0], "--data-dir", str(tmp_path)) as process:
        while not kaggle.storage_headers and process.poll() is None:
            time.sleep(0.01)
        kaggle.contests[IDS[0]].silent_for = 20
        interrupted(process, lambda: len(kaggle.storage_headers) > 1)


def test_a_thread_that_waits_for_a_lock_is_told_to_stop(tmp_path: Path) -> None:
    stop, told = threading.Event(), []
    threading.Timer(0.3, stop.set).start()
    with held(tmp_path), pytest.raises(DataError, match="Stopped"), locked(tmp_path, told.append, stop):
        pass
    assert told == [WAITING]
    stop.clear()
    with locked(tmp_path, told.append, stop):
        assert len(told) == 1


def test_workers_that_do_not_end_are_left_behind() -> None:
    workers, go = Workers(1, "test"), threading.Event()
    stuck, queued = workers.submit(go.wait), workers.submit(int, "5")
    began = time.monotonic()
    workers.leave(0.1)
    assert time.monotonic() - began < 2 and queued.cancelled() and not stuck.done()
    go.set()
    assert stuck.result(5)


def test_workers_pass_results_and_errors_on() -> None:
    workers = Workers(2, "test")
    assert [one.result(5) for one in [workers.submit(int, str(i)) for i in range(20)]] == list(range(20))
    with pytest.raises(ValueError, match="invalid literal"):
        workers.submit(int, "x").result(5)
