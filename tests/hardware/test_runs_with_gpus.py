"""`mlebench run` with GPUs (fake NVML, process sandbox): who gets which, what is recorded, and kill -9 in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from fake_nvml import FakeNvml, cards, until

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
sys.path.insert(0, str(Path(__file__).parents[1]))
from running_kit import PERFECT, World, make_world

from mlebench.hardware import nvml
from mlebench.hardware.api import SharePolicy
from mlebench.hardware.held import held_leases
from mlebench.hardware.leases import Leases
from mlebench.hardware.series import telemetry_of
from mlebench.running.records import Attempt, State
from mlebench.running.store import load_run

ROOT = Path(__file__).parents[2]
AGENT = """
import os, pathlib, time
began = time.time()
pathlib.Path({started!r}, os.environ["SEED"]).touch()
while not pathlib.Path({gate!r}).exists():
    time.sleep(0.02)
time.sleep(0.5)
pathlib.Path(os.environ["SUBMISSION_FILE"]).write_text({submission!r})
pathlib.Path({used!r}, os.environ["SEED"]).write_text(
    f"{{os.environ.get('CUDA_VISIBLE_DEVICES')}} {{began}} {{time.time()}} {{os.environ['HARDWARE']}}"
)
"""


class Machine:
    """A machine with two GPUs, and runs on it."""

    def __init__(self, root: Path) -> None:
        self.world: World = make_world(root)
        self.gate, self.used, self.started = root / "gate", root / "used", root / "started"
        self.used.mkdir()
        self.started.mkdir()
        self.leases = root / "leases"
        folders = {"gate": str(self.gate), "used": str(self.used), "started": str(self.started)}
        self.world.script(AGENT.format(submission=PERFECT, **folders))
        path = os.pathsep.join([str(Path(__file__).parent / "shim"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.environment = {**os.environ, "PYTHONPATH": path, "MLEBENCH_LEASES_DIR": str(self.leases)}

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "mlebench", "run", "--runs-dir", str(self.world.runs), *options]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def new(self, *options: str) -> subprocess.Popen[str]:
        where = ["--data-dir", str(self.world.root / "data")]
        where += ["--competitions-dir", str(self.world.root / "competitions")]
        what = ["--agent", str(self.world.agent), "-c", "toy", "--sandbox", "process", "--name", "run"]
        return self.start(*where, *what, "--grace", "1s", *options)

    def attempts(self) -> list[Attempt]:
        return load_run("run", self.world.runs).attempts

    def uses(self) -> dict[int, tuple[str, float, float, str]]:
        found = {}
        for path in self.used.iterdir():
            gpu, began, ended, line = path.read_text().split(" ", 3)
            found[int(path.name)] = gpu, float(began), float(ended), line
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, errors = process.communicate(timeout=100)
    assert "Traceback" not in errors, errors
    return process.returncode, out + errors


def assert_never_shared(machine: Machine, count: int) -> None:
    uses = machine.uses()
    assert len(uses) == count and {gpu for gpu, *_ in uses.values()} == {"GPU-00000000", "GPU-00000001"}
    for (gpu, began, ended, _), (other, later, end, _) in combinations(uses.values(), 2):
        assert gpu != other or ended <= later or end <= began, "two attempts on one GPU at the same time"


def test_three_attempts_take_turns_on_two_gpus(machine: Machine):
    machine.gate.touch()
    code, said = finish(machine.new("--seeds", "3", "-n", "3", "--gpus-per-attempt", "1"))
    assert code == 0, said
    assert_never_shared(machine, 3)
    for attempt in machine.attempts():
        gpu, _, _, line = machine.uses()[attempt.seed]
        assert attempt.share is not None and attempt.share.gpus == [gpu]
        assert "1 x NVIDIA H200 (140 GB)" in line
        assert attempt.telemetry is not None and attempt.telemetry.samples >= 2 and attempt.telemetry.energy_kwh
        assert telemetry_of(machine.world.runs / "run" / attempt.id / "telemetry.jsonl") == attempt.telemetry
    assert held_leases(machine.leases) == []


def test_a_killed_runner_is_resumed_with_the_gpus_of_what_ran_on(machine: Machine):
    runner = machine.new("--seeds", "3", "-n", "3", "--gpus-per-attempt", "1")
    until(lambda: len(list(machine.started.iterdir())) == 2, 60)
    until(lambda: sum(one.handle is not None for one in machine.attempts()) == 2, 60)
    runner.kill()
    runner.communicate()
    assert [held.runner_alive for held in held_leases(machine.leases)] == [False, False]
    before = {one.id: one.share for one in machine.attempts() if one.state is State.RUNNING}
    resumed = machine.start("--resume", "run")
    until(lambda: [held.runner_alive for held in held_leases(machine.leases)] == [True, True], 60)
    machine.gate.touch()
    code, said = finish(resumed)
    assert code == 0, said
    assert_never_shared(machine, 3)
    after = {one.id: one for one in machine.attempts()}
    assert {name: (after[name].share, after[name].tries) for name in before} == {
        name: (share, 1) for name, share in before.items()
    }
    assert held_leases(machine.leases) == []


def test_a_run_that_waits_for_another_says_so(machine: Machine):
    policy = SharePolicy(concurrency=1, gpus_per_attempt=2)
    nvml.use(FakeNvml(*cards(2)))
    lease = Leases(policy, living=lambda name: True, folder=machine.leases).take("another-run-s0")
    assert lease is not None
    machine.gate.touch()
    runner = machine.new("--gpus-per-attempt", "1")
    assert runner.stderr is not None
    line = next(line for line in runner.stderr if "is held" in line)
    assert "other runs hold what was asked for (another-run-s0)" in line
    lease.release()
    code, said = finish(runner)
    assert code == 0, said


def test_more_gpus_than_there_are_is_refused_before_anything_starts(machine: Machine):
    code, said = finish(machine.new("--gpus-per-attempt", "4"))
    assert code != 0 and "Each attempt asks for 4 GPUs, and only 2 can be used on this machine" in said
    assert not (machine.world.runs / "run").exists() and not held_leases(machine.leases)


def test_packed_attempts_share_and_say_so(machine: Machine):
    machine.environment["FAKE_GPUS"] = "1"
    machine.gate.touch()
    code, said = finish(machine.new("--seeds", "2", "-n", "2", "--gpus-per-attempt", "1", "--attempts-per-gpu", "2"))
    assert code == 0, said
    attempts = machine.attempts()
    assert sorted(one.share.slots[0] for one in attempts if one.share) == [0, 1]
    assert all(one.telemetry and one.telemetry.shared for one in attempts)
    record = json.loads((machine.world.runs / "run" / attempts[0].id / "environment.json").read_text())
    assert record["hardware"]["gpus"][0]["name"] == "NVIDIA H200"
