"""`mlebench run --model` as a user meets it: real gateway, scripted model, an agent that asks it, kill -9 and resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from running_kit import PERFECT, World, make_world
from test_run import agents_of, attempts, call, command, done_once, new, running, until

from mlebench.chain import verify_chain
from mlebench.errors import SandboxError
from mlebench.gateway.api import Usage
from mlebench.running.records import Attempt, End
from mlebench.running.snapshots import recorded
from mlebench.sandbox.docker import DockerSandbox

AGENT = f"""
import json, os, pathlib, sys, time, urllib.error, urllib.request

def ask(text):
    body = {{"model": os.environ["MODEL"], "messages": [{{"role": "user", "content": text}}]}}
    headers = {{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}}
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=60))["choices"][0]["message"]["content"]

def end(how, message=None):
    outcome = {{"end": how, "message": message, "steps": 2}}
    (pathlib.Path(os.environ["LOGS_DIR"]) / "outcome.json").write_text(json.dumps(outcome))
    sys.exit(0)

pathlib.Path(os.environ["SUBMISSION_FILE"]).write_text({PERFECT!r})
way, gate = os.environ["OPTION_WAY"], pathlib.Path(os.environ["LOGS_DIR"]) / "gate"
print(ask("one"), ask("two"), flush=True)
if way == "steps":
    end("out_of_steps")
if way == "failure":
    end("model_failure", "the model talks nonsense")
if way == "gate":
    while not gate.exists():
        time.sleep(0.05)
    print(ask("three"), flush=True)
while way == "spend":
    try:
        ask("more")
    except urllib.error.HTTPError as refusal:
        print(refusal.code, json.load(refusal)["error"]["code"], flush=True)
        time.sleep(0.3)
"""
CALL = {"tokens_in": 10, "tokens_out": 5}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = make_world(tmp_path)
    world.uses_model()
    world.script(AGENT)
    yield world
    for path in Path("/proc").glob("[0-9]*"):  # what a test that failed left running
        with suppress(OSError):
            told = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            if f"{world.root}/".encode() in told:
                os.kill(int(path.name), signal.SIGKILL)


def usage_of(attempt: Attempt) -> Usage:
    assert attempt.usage is not None
    return attempt.usage


def checked(world: World, attempt: Attempt, calls: int) -> None:
    """Usage is that of so many calls, in the record and in the log, and the log is whole."""
    usage = usage_of(attempt)
    assert (usage.calls, usage.tokens_in, usage.tokens_out) == (calls, 10 * calls, 5 * calls)
    log = world.runs / "run" / attempt.id / "usage.jsonl"
    assert verify_chain(log, attempt.usage_head).holds
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(line["event"] == "call" and line["outcome"] == "ok" for line in lines) == calls


def test_ends_of_agents_with_a_model_are_told_apart(world: World) -> None:
    seeds = {"plain": End.FINISHED, "steps": End.OUT_OF_STEPS, "failure": End.MODEL_FAILURE}
    for way, end in seeds.items():
        done = call([*new(world, "--model", "scripted/demo", "--option", f"way={way}"), "--name", way])
        assert done.returncode == 0, done.stderr
        record = json.loads((world.runs / way / "toy-s0" / "attempt.json").read_text())
        assert (record["end"], record["usage"]["calls"], record["grade"]["score"]) == (end, 2, 1.0)
        assert "gateway_key" not in record
        assert (world.runs / way / "toy-s0" / "agent.log").read_text() == "hello hello\n"
    assert record["claim"]["message"] == "the model talks nonsense" in record["message"]
    assert not agents_of(world)


def test_a_budget_ends_the_attempt(world: World) -> None:
    arguments = new(world, "--model", "scripted/demo", "--option", "way=spend", "--budget-calls", "4")
    done = call([*arguments, "--budget-grace", "1s", "--json"])
    (record,) = json.loads(done.stdout)["attempts"]
    assert done.returncode == 0 and record["end"] == "out_of_budget" and record["grade"]["score"] == 1.0
    assert record["usage"]["calls"] == 4 and record["usage"]["exhausted"] == "calls"
    assert "429 budget_exhausted" in (world.runs / "run" / "toy-s0" / "agent.log").read_text()
    checked(world, attempts(world)[0], 4)


def test_usage_is_whole_after_the_runner_was_killed(world: World) -> None:
    kill_in_mid_run(world, [])
    assert not agents_of(world)


def calls_in(log: Path) -> int:
    """Calls in a log of usage."""
    return log.read_text().count('"event": "call"') if log.exists() else 0


def kill_in_mid_run(world: World, more: list[str]) -> None:
    runner = subprocess.Popen(
        new(world, "--model", "scripted/demo", "--option", "way=gate", *more), stderr=subprocess.DEVNULL
    )
    log = world.runs / "run" / "toy-s0" / "usage.jsonl"
    until(lambda: running(world, 1) and calls_in(log) == 2, 60)
    events = world.runs / "run" / "toy-s0" / "events.jsonl"
    until(lambda: '"snapshot"' in events.read_text(), 30)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    (before,) = attempts(world)
    resumed = subprocess.Popen(command(world, "--resume", "run"), stderr=subprocess.DEVNULL)
    until(lambda: '"adopted"' in events.read_text(), 30)
    (world.runs / "run" / "toy-s0" / "outbox" / "logs" / "gate").touch()
    assert resumed.wait(60) == 0
    (after,) = attempts(world)
    assert (after.tries, after.end, after.deadline_at) == (1, End.FINISHED, before.deadline_at)
    assert after.gateway_port == before.gateway_port
    checked(world, after, 3)
    assert [one.grade.score for one in after.snapshots if one.grade] == [1.0]
    done_once(world)
    assert recorded([json.loads(line) for line in events.read_text().splitlines()])


@pytest.fixture
def engine(world: World) -> Iterator[None]:
    try:
        DockerSandbox().check("mlebench-agent")
    except SandboxError as problem:
        if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    for path in (world.agent, *world.agent.rglob("*")):
        path.chmod(0o755)
    yield
    for attempt in attempts(world):
        DockerSandbox().remove(attempt.handle or "none")


@pytest.mark.docker
def test_in_containers_the_model_comes_through_the_socket(world: World, engine: None) -> None:
    kill_in_mid_run(world, ["--sandbox", "docker", "--memory", "0.5", "--cpus", "1"])
    facts = json.loads((world.runs / "run" / "toy-s0" / "environment.json").read_text())
    assert facts["image"]["id"].startswith("sha256:") and facts["engine"]["isolates"] and facts["network"] == "none"
    assert attempts(world)[0].image_id == facts["image"]["id"]


def test_a_run_is_stopped_resumed_and_removed_from_outside(world: World) -> None:
    runs = [sys.executable, "-m", "mlebench", "runs"]
    where = ["--runs-dir", str(world.runs)]
    arguments = new(world, "--model", "scripted/demo", "--option", "way=gate", "--seeds", "2", "-n", "2")
    runner = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    until(lambda: running(world, 2), 60)
    until(lambda: (world.runs / "run" / "toy-s0" / "live.json").exists())
    watched = call([*runs, "watch", "run", *where])
    assert f"driven by process {runner.pid}" in watched.stdout and "hello hello" in watched.stdout
    refused = call([*runs, "rm", "run", "--yes", *where])
    assert refused.returncode == 2 and "runs stop" in refused.stderr
    stopped = call([*runs, "stop", "run", *where])
    assert stopped.returncode == 0 and "2 attempts are left" in stopped.stderr and runner.wait(30) == 130
    resumed = subprocess.Popen([*runs, "resume", "run", *where], stderr=subprocess.DEVNULL)
    logs = [world.runs / "run" / f"toy-s{seed}" / "usage.jsonl" for seed in (0, 1)]
    until(lambda: running(world, 2) and all(calls_in(log) == 2 for log in logs), 60)
    resumed.send_signal(signal.SIGKILL)
    resumed.wait()
    assert agents_of(world)
    assert "had no runner; 2 attempts were stopped" in call([*runs, "stop", "run", *where]).stderr
    assert not agents_of(world)
    assert "was not running" in call([*runs, "stop", "run", *where]).stderr
    asked = call([*runs, "rm", "run", *where])
    assert asked.returncode == 2 and "--yes" in asked.stderr
    assert call([*runs, "rm", "run", "--yes", *where]).returncode == 0
    assert list(world.runs.iterdir()) == []


def test_snapshots_are_graded_again_with_the_run(world: World) -> None:
    from mlebench.registry import Registry
    from mlebench.running.grading import regrade_run

    world.script(AGENT + "\ntime.sleep(6)\n")
    assert call(new(world, "--model", "scripted/demo", "--time-limit", "1m")).returncode == 0
    assert [one.grade.score for one in attempts(world)[0].snapshots if one.grade] == [1.0]
    (world.toy.competition.folder / "grade.py").write_text("def grade(submission, answers):\n    return 0.75\n")
    regrade_run("run", world.runs, Registry())
    (attempt,) = attempts(world)
    assert [one.grade.score for one in attempt.snapshots if one.grade] == [0.75]
    assert verify_chain(world.runs / "run" / "toy-s0" / "events.jsonl", attempt.events_head).holds


def test_a_dry_run_says_what_it_may_cost(world: World) -> None:
    shown = call(new(world, "--model", "scripted/demo", "--budget-usd", "2.5", "--seeds", "4", "--dry-run")).stdout
    assert "$2.5 each, $10 together" in shown and "Nothing was started" in shown and not world.runs.exists()


def test_logs_of_all_attempts_are_followed_with_their_names(world: World) -> None:
    arguments = new(world, "--model", "scripted/demo", "--seeds", "2", "-n", "2")
    runner = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    until(lambda: (world.runs / "run" / "run.sqlite").exists())
    look = [sys.executable, "-m", "mlebench", "runs", "logs", "run", "--runs-dir", str(world.runs)]
    followed = call([*look, "-f"])
    assert sorted(followed.stdout.splitlines()) == ["toy-s0 | hello hello", "toy-s1 | hello hello"]
    assert runner.wait(30) == 0
    assert "toy-s1 | 20" in call([*look, "--events"]).stdout
    assert [one["log"] for one in json.loads(call([*look, "--json"]).stdout)] == ["hello hello\n"] * 2
