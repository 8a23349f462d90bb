"""`mlebench agents build` on a real engine: cache, failures, what is started from, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from agents_kit import dropping, make_agent, mlebench, need_engine

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("agents-build")]
DOCKERFILE = """
ARG BASE_IMAGE=mlebench-agent
FROM ${BASE_IMAGE}
ARG WORD=one
ARG CODE_SOURCE=
COPY source/ /src/
RUN echo "$WORD $CODE_SOURCE $(ls /src)" > /tmp/word; test "$WORD" != bad || { echo before the end; exit 3; }
"""
TOML = '[build]\nsource = "CODE_SOURCE"\n'


def test_second_build_is_up_to_date_and_a_change_is_built(tmp_path: Path) -> None:
    engine = need_engine()
    agent = make_agent(tmp_path / "test-build", DOCKERFILE, TOML)
    source = tmp_path / "code"
    source.mkdir()
    (source / "module.py").write_text("")
    with dropping(engine, "mlebench-test-build"):
        first = mlebench("agents", "build", str(agent), "--build-arg", "WORD=two", "--source", str(source))
        assert first.returncode == 0 and "not built yet" in first.stderr, first.stderr
        assert "step 2/" in first.stderr and " s  step" in first.stderr and "sent " in first.stderr
        said = engine.client.containers.run("mlebench-test-build", ["cat", "/tmp/word"], remove=True)
        assert said.decode().split() == ["two", "source", "module.py"]
        again = mlebench("agents", "build", str(agent), "--json")
        assert "mlebench-test-build is up to date" in again.stderr
        assert [one["seconds"] for one in json.loads(again.stdout)] == [None, None]
        (agent / "start.py").write_text("print('changed')\n")
        needs = mlebench("agents", "build", str(agent))
        assert needs.returncode == 2 and "--source" in needs.stderr
        changed = mlebench("agents", "build", str(agent), "--source", str(source))
        assert "files or arguments changed" in changed.stderr and "is built" in changed.stderr
        bad = mlebench("agents", "build", str(agent), "--source", str(source), "--build-arg", "WORD=bad")
        assert bad.returncode == 1 and "| before the end" in bad.stderr
        assert "failed in step 6 of" in bad.stderr and "code: 3" in bad.stderr
        assert "up to date" in mlebench("agents", "build", str(agent)).stderr  # what was there before is there still


def test_ctrl_c_leaves_no_container_and_no_image(tmp_path: Path) -> None:
    engine = need_engine()
    marker = f"marker-{uuid.uuid4().hex}"  # a step of its own: none that the engine may know already
    agent = make_agent(tmp_path / "test-break", f"FROM mlebench-agent\nRUN echo {marker}; sleep 300\n")
    command = [sys.executable, "-m", "mlebench", "agents", "build", str(agent)]
    building = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert building.stderr is not None
    while "step 2/" not in building.stderr.readline():
        assert building.poll() is None

    def running() -> list[str]:
        found = engine.client.api.containers()
        return [one["Id"] for one in found if marker in one["Command"]]

    wait_for(lambda: bool(running()))
    building.send_signal(signal.SIGINT)
    _, told = building.communicate(timeout=30)
    assert building.returncode == 130 and "Interrupted" in told and "Traceback" not in told
    wait_for(lambda: not running())
    assert engine.held("mlebench-test-break") is None


def test_what_cannot_be_built_is_said_in_a_sentence(tmp_path: Path) -> None:
    need_engine()
    plain = make_agent(tmp_path / "test-plain", "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    for arguments, code, words in (
        ([], 2, "Say what to build"),
        (["--all", "dummy"], 2, "Say what to build"),
        (["nobody"], 2, "no agent 'nobody'"),
        ([str(plain), "--build-arg", "X"], 2, "KEY=VALUE"),
        ([str(plain), "--build-arg", "X=1"], 2, "no build argument X"),
        ([str(plain), "--source", "/nowhere"], 2, "leave out --source"),
        ([str(plain), "--build-arg", "BASE_IMAGE=localhost:1/nothing"], 1, "cannot be pulled"),
    ):
        done = mlebench("agents", "build", *arguments)
        assert done.returncode == code and words in done.stderr, (arguments, done.stderr)
    nowhere = mlebench("agents", "build", "dummy", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert nowhere.returncode == 1 and "does not answer" in nowhere.stderr
    listed = mlebench("agents", "list", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert listed.returncode == 0 and "No container engine answers" in listed.stdout


def wait_for(condition, seconds: float = 30) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)
