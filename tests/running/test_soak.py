"""The soak in its short form: killed runners, real containers, nothing lost, nothing left; and that it would show."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from running_kit import PERFECT, FakeSandbox, Play, World, resume_run, start_run

from mlebench.errors import SandboxError
from mlebench.sandbox.docker import DockerSandbox

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.mark.docker
def test_every_attempt_is_graded_once_and_nothing_is_left_though_the_runner_is_killed(tmp_path: Path) -> None:
    try:
        DockerSandbox().check("mlebench-agent")
    except SandboxError as problem:
        if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    command = [sys.executable, str(SCRIPTS / "soak.py"), "--attempts", "20", "--kills", "3", "--concurrency", "6"]
    command += ["--json", "--limit", "240", "--dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["judged"]["graded"] == 20 and len(found["lives"]) == 4
    assert found["leftovers"] == found["faults"] == []
    assert max(life["peak_mb"] for life in found["lives"]) < 200


@pytest.mark.usefixtures("_scripts")
def test_what_is_left_behind_is_found(tmp_path: Path) -> None:
    from soaking.bench_run import MARK, Place
    from soaking.leftovers import leftovers

    place = Place(tmp_path)
    attempt = place.run / "toy-s0"
    for folder in (attempt / "control" / "sockets", attempt / "logs", place.temporary, place.leases):
        folder.mkdir(parents=True)
    (attempt / "control" / "sockets").rmdir()
    (place.leases / "lock").touch()
    (attempt / "grade.json").touch()
    (place.run / "run.lock").touch()
    assert leftovers(place, None) == []

    (place.temporary / "mlebench-x").mkdir()
    (place.leases / "a.lease").touch()
    (attempt / "outbox").mkdir()
    (attempt / "grade.json.tmp").touch()
    os.mkfifo(attempt / "logs" / "pipe")
    with socket.socket(socket.AF_UNIX) as listening, (place.run / "run.lock").open("a") as held:
        listening.bind(str(attempt / "s"))
        fcntl.flock(held, fcntl.LOCK_EX)
        sleeper = subprocess.Popen(["sleep", "60"], env={MARK: place.mark})
        try:
            found = leftovers(place, None)
        finally:
            sleeper.kill()
            sleeper.wait()
    kinds = sorted(one.partition(" ")[0] for one in found)
    assert kinds == ["file"] * 4 + ["lease", "lock", "process", "socket", "temporary"], found


@pytest.mark.usefixtures("_scripts")
def test_grading_twice_or_not_at_all_is_found(world: World) -> None:
    from soaking.graded_once import judge

    start_run(world, FakeSandbox(lambda spec, number: Play(PERFECT)), seeds=[0, 1, 2])
    folder = world.runs / "run"
    good = judge(folder, 3)
    assert good.graded == 3 and good.faults == [] and good.tries == {1: 3}
    assert judge(folder, 4).faults == ["3 attempts instead of 4"]

    with sqlite3.connect(folder / "run.sqlite") as db:
        db.execute(
            'INSERT INTO transitions (attempt, at, "from", "to", note) '
            'SELECT attempt, at, "from", "to", note FROM transitions WHERE attempt = \'toy-s0\' AND "to" = \'done\''
        )
    grade = json.loads((folder / "toy-s1" / "grade.json").read_text())
    (folder / "toy-s1" / "grade.json").write_text(json.dumps({**grade, "score": 0.123}))
    with (folder / "toy-s2" / "submission" / "submission.csv").open("a") as file:
        file.write("\n")
    bad = judge(folder, 3)
    assert bad.graded == 0
    assert [fault.partition(":")[0] for fault in bad.faults[:2]] == ["toy-s0", "toy-s1"]
    assert "done 2 times" in bad.faults[0] and "differ" in bad.faults[1] and "sealed" in bad.faults[2]


def test_scratch_of_a_killed_runner_goes_with_the_run_that_ends(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    start_run(world, FakeSandbox())
    (scratch / "mlebench-validation-1-ofadeadrunner-x").mkdir()
    resume_run(world, FakeSandbox())
    assert list(scratch.iterdir()) == []
