"""`mlebench run` as a user meets it, with the process sandbox: the whole way, Ctrl-C, kill -9, resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
sys.path.insert(0, str(Path(__file__).parents[1]))
from running_kit import PERFECT, World, make_world

from mlebench.running.events import verify_chain
from mlebench.running.records import Attempt, End, State
from mlebench.running.store import RunStore, load_run
from mlebench.sandbox.docker import DockerSandbox

SUBMIT = f"""
import os, pathlib, time
pathlib.Path(os.environ["SUBMISSION_FILE"]).write_text({PERFECT!r})
print("seed", os.environ["SEED"], flush=True)
"""
LINGER = SUBMIT + "time.sleep(float(os.environ['SEED']) * 1000 or 0)\n"
"""Seed 0 ends at once, every other one stays."""
WAIT = SUBMIT + "while not pathlib.Path({gate!r}).exists(): time.sleep(0.05)\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def command(world: World, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlebench", "run", "--runs-dir", str(world.runs), *arguments]


def new(world: World, *arguments: str) -> list[str]:
    where = ["--data-dir", str(world.root / "data"), "--competitions-dir", str(world.root / "competitions")]
    what = ["--agent", str(world.agent), "-c", "toy", "--sandbox", "process", "--name", "run"]
    return command(world, *where, *what, "--grace", "1s", *arguments)


def call(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=100, check=False)
    assert "Traceback" not in done.stderr
    return done


def attempts(world: World) -> list[Attempt]:
    return load_run("run", world.runs).attempts


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def running(world: World, count: int) -> bool:
    found = (world.runs / "run" / "run.sqlite").exists() and attempts(world)
    return bool(found) and sum(one.state is State.RUNNING and one.handle is not None for one in found) == count


def done_once(world: World) -> None:
    """Every attempt is done, has come there once, and its event log is whole."""
    with RunStore(world.runs / "run") as store:
        assert {one.state for one in store.attempts()} == {State.DONE}
        arrivals = Counter(move.attempt for move in store.transitions() if move.new is State.DONE)
        assert set(arrivals.values()) == {1}
        for one in store.attempts():
            assert verify_chain(store.folder / one.id / "events.jsonl", one.events_head).holds
            assert json.loads((store.folder / one.id / "grade.json").read_text())["score"] == 1.0


def agents_of(world: World) -> list[int]:
    """Processes that were started for this world's run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(world.runs).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_from_command_to_medals(world: World) -> None:
    world.script(LINGER)
    done = call(new(world, "--seeds", "2", "-n", "2", "--time-limit", "2s"))
    assert done.returncode == 0, done.stderr
    assert "does not isolate" in done.stderr and "mlebench report" in done.stderr
    assert "gold" in done.stdout and "out_of_time" in done.stdout
    assert [one.end for one in attempts(world)] == [End.FINISHED, End.OUT_OF_TIME]
    assert (world.runs / "run" / "toy-s0" / "agent.log").read_text() == "seed 0\n"
    assert not agents_of(world)
    done_once(world)
    again = call(command(world, "--resume", "run", "--json"))
    assert again.returncode == 0 and json.loads(again.stdout)["attempts"][1]["end"] == "out_of_time"


def test_killed_runner_is_resumed_and_every_attempt_is_done_once(world: World) -> None:
    gate = world.root / "gate"
    world.script(
        f"import os\n{SUBMIT}\nif os.environ['SEED'] != '0':\n    "
        + WAIT.format(gate=str(gate)).replace("\n", "\n    ")
    )
    runner = subprocess.Popen(new(world, "--seeds", "4", "-n", "2"), stderr=subprocess.DEVNULL)
    until(lambda: running(world, 2) and attempts(world)[0].state is State.DONE)
    refused = call(command(world, "--resume", "run"))
    assert refused.returncode == 2 and f"driven by process {runner.pid}" in refused.stderr
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    before = attempts(world)
    assert [one.state for one in before] == [State.DONE, State.RUNNING, State.RUNNING, State.QUEUED]
    lost = json.loads(before[2].handle or "")
    gate.touch()  # one adopted while it runs or after it ended, one lost, one never begun
    os.kill(lost["pid"], signal.SIGKILL)
    resumed = call(command(world, "--resume", "run"))
    assert resumed.returncode == 0, resumed.stderr
    after = attempts(world)
    assert [one.tries for one in after] == [1, 1, 2, 1]
    assert after[1].deadline_at == before[1].deadline_at and after[0] == before[0]
    done_once(world)
    assert not agents_of(world)


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(world: World) -> None:
    world.script(LINGER)
    runner = subprocess.Popen(new(world, "--seeds", "3", "-n", "3"), stderr=subprocess.PIPE, text=True)
    until(lambda: running(world, 2) and attempts(world)[0].state is State.DONE)
    runner.send_signal(signal.SIGINT)
    _, told = runner.communicate(timeout=30)
    assert runner.returncode == 130 and "--resume" in told and "Traceback" not in told
    assert [one.state for one in attempts(world)] == [State.DONE, State.QUEUED, State.QUEUED]
    assert not agents_of(world)
    world.script(SUBMIT)
    assert call(command(world, "--resume", "run")).returncode == 0
    assert [one.tries for one in attempts(world)] == [1, 2, 2]
    done_once(world)


def test_second_ctrl_c_leaves_at_once_and_the_agents_are_adopted(world: World) -> None:
    gate = world.root / "gate"
    world.script("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT.format(gate=str(gate)))
    runner = subprocess.Popen(new(world, "--grace", "20s"), stderr=subprocess.DEVNULL)
    until(lambda: running(world, 1))
    runner.send_signal(signal.SIGINT)
    until(lambda: attempts(world)[0].end is End.CANCELLED)
    runner.send_signal(signal.SIGINT)
    assert runner.wait(5) == 130
    gate.touch()
    assert call(command(world, "--resume", "run")).returncode == 0
    assert attempts(world)[0].tries == 2  # it was being cancelled, so it counts for nothing
    done_once(world)


def test_what_cannot_be_is_one_sentence_and_code_2(world: World) -> None:
    for arguments, words in (
        (["--agent", "nobody", "-c", "toy"], "no agent 'nobody'"),
        (["-c", "toy"], "--agent"),
        (["--agent", "dummy"], "No competition"),
        (["--agent", "dummy", "-c", "nope"], "no competition 'nope'"),
        (["--agent", "dummy", "-c", "practice-digits"], "mlebench prepare practice-digits"),
        (["--agent", "dummy", "-c", "practice-digits", "--time-limit", "24"], "write it like"),
        (["--agent", "dummy", "-c", "practice-digits", "--name", "a/b"], "run name"),
        (["--resume", "nope"], "no run 'nope'"),
        (["--resume", "run", "--agent", "dummy"], "leave out --agent"),
    ):
        sandbox = [] if "--resume" in arguments else ["--sandbox", "process"]
        done = call(command(world, *arguments, *sandbox))
        assert done.returncode == 2 and words in done.stderr, (arguments, done.stderr)
        assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1
    assert not world.runs.exists()


def test_what_machine_and_keys_do_not_give_is_told_before_anything_starts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for arguments, words in (
        (["--cpus", "5000"], "asks for 5000 processors, and this machine has"),
        (["--memory", "1e6"], "asks for 1e+06 GB of memory, and this machine has"),
        (["--agent", "mlab-style", "--model", "openai/gpt-4.1"], "set OPENAI_API_KEY"),
    ):
        done = call(new(world, *arguments))
        assert done.returncode == 2 and words in done.stderr, (arguments, done.stderr)
        assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1
    assert not world.runs.exists()


def test_without_an_engine_nothing_is_run_unsafely(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    arguments = [word for word in new(world) if word not in ("--sandbox", "process")]
    done = call(arguments)
    assert done.returncode == 2 and "--sandbox process" in done.stderr and not world.runs.exists()


def test_dry_run_starts_nothing(world: World) -> None:
    done = call(new(world, "--seeds", "2", "--dry-run"))
    assert done.returncode == 0 and "toy-s1" in done.stdout and not world.runs.exists()
    as_json = json.loads(call(new(world, "--dry-run", "--json", "--time-limit", "1h")).stdout)
    assert as_json["attempts"] == ["toy-s0"] and as_json["longest_seconds"] == 3601


def test_a_run_can_be_looked_at(world: World) -> None:
    world.script(SUBMIT)
    call(new(world))
    look = [sys.executable, "-m", "mlebench", "runs"]
    where = ["--runs-dir", str(world.runs)]
    (listed,) = json.loads(call([*look, "list", *where, "--json"]).stdout)
    assert (listed["name"], listed["done"], listed["medals"], listed["failed"]) == ("run", 1, 1, 0)
    assert "gold" in call([*look, "show", "run", *where]).stdout
    shown = json.loads(call([*look, "show", str(world.runs / "run"), "--json"]).stdout)
    assert shown["attempts"][0]["grade"]["medal"] == "gold" and shown["config"]["name"] == "run"
    assert call([*look, "logs", "run", "toy-s0", "--follow", *where]).stdout == "seed 0\n"
    assert "sealed" in call([*look, "logs", "run", "toy-s0", "--events", *where]).stdout
    missing = call([*look, "logs", "run", "toy-s7", *where])
    assert missing.returncode == 2 and "no attempt 'toy-s7'" in missing.stderr


def test_a_graded_run_can_be_graded_again(world: World) -> None:
    world.script(SUBMIT)
    call(new(world))
    grader = world.toy.competition.folder / "grade.py"
    grader.write_text("def grade(submission, answers):\n    return 0.75\n")
    from mlebench.registry import Registry
    from mlebench.running.grading import regrade_run

    (report,) = regrade_run("run", world.runs, Registry())
    (attempt,) = attempts(world)
    assert report.score == 0.75 and attempt.grade == report
    folder = world.runs / "run" / "toy-s0"
    assert json.loads((folder / "grade.json").read_text())["score"] == 0.75
    assert verify_chain(folder / "events.jsonl", attempt.events_head).holds


@pytest.mark.docker
def test_killed_runner_finds_its_containers_again(world: World) -> None:
    from mlebench.errors import SandboxError

    try:
        DockerSandbox().check("mlebench-agent")
    except SandboxError as problem:
        if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    try:
        killed_and_resumed(world)
    finally:
        for attempt in attempts(world):
            DockerSandbox().remove(attempt.handle or "none")


def killed_and_resumed(world: World) -> None:
    gate = "/home/logs/gate"
    world.script(WAIT.format(gate=gate))
    for path in (world.agent, *world.agent.iterdir()):
        path.chmod(0o755)
    arguments = new(world, "--seeds", "2", "-n", "2", "--sandbox", "docker", "--memory", "0.5", "--cpus", "1")
    runner = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    until(lambda: running(world, 2), 60)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    first, second = attempts(world)
    DockerSandbox().remove(second.handle or "")
    (world.runs / "run" / "toy-s0" / "outbox" / "logs" / "gate").touch()
    resumed = subprocess.Popen(command(world, "--resume", "run"), stderr=subprocess.DEVNULL)
    until(lambda: attempts(world)[1].tries == 2 and attempts(world)[1].handle, 60)
    (world.runs / "run" / "toy-s1" / "outbox" / "logs" / "gate").touch()
    assert resumed.wait(60) == 0
    assert [one.tries for one in attempts(world)] == [1, 2]
    assert attempts(world)[0].deadline_at == first.deadline_at
    done_once(world)
