"""mlab's launcher against a checkout: the real one where MLEBENCH_MLAB_SOURCE names it, else one of the same interface.

The launcher needs nothing but that checkout, so most of it runs as a process; its image is built and run once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from agents_kit import dropping, need_engine
from scaffold_kit import Bench, Outcome, Quiet, react_step

from mlebench.agents.agent import load_agent
from mlebench.agents.building import BuildOptions, ensure_image
from mlebench.agents.images import recipe_of
from mlebench.content import content_dir
from mlebench.data.paths import PreparedPaths
from mlebench.sandbox.docker import DockerSandbox
from mlebench.sandbox.process import ProcessSandbox

REAL = os.environ.get("MLEBENCH_MLAB_SOURCE")
SOURCE = Path(REAL) if REAL else Path(__file__).parent / "mlab_checkout"
FOLDER = content_dir("agents") / "mlab"
BEGIN = "^You are a helpful research assistant"
WRITE = (
    "import csv\nrows = list(csv.DictReader(open('input/sample_submission.csv')))\n"
    "open('submission.csv', 'w').write('id,malignant\\n' + ''.join(r['id'] + ',0.5\\n' for r in rows))\nprint('written')\n"
)
DONE = react_step("Final Answer", final_answer="that is all")


def write(code: str) -> dict[str, Any]:
    return react_step("Write File", file_name="train.py", content=code)


EXECUTE = react_step("Execute Script", script_name="train.py")


def model(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [{"match": BEGIN, "replies": list(steps)}, {"reply": {"text": "[Observation]: in short"}}]}


@pytest.fixture
def bench(practice: PreparedPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The launcher as a process; the scaffold's modules as the image would have them."""
    installed = tmp_path / "installed"
    subprocess.run([sys.executable, FOLDER / "record_source.py", SOURCE, installed], check=True, capture_output=True)
    made = Bench(load_agent("mlab"), ProcessSandbox(), practice, tmp_path, time_limit=60)
    made.environment["MLAB_HOME"] = str(installed)
    return made


def env_log(outcome: Outcome) -> Path:
    return outcome.outbox / "logs" / "mlab" / "env_log"


def observations(outcome: Outcome) -> list[str]:
    return [step["observation"] for step in json.loads((env_log(outcome) / "trace.json").read_text())["steps"]]


def test_from_the_task_to_a_graded_submission(bench: Bench) -> None:
    bench.options["snapshots"] = "2"
    look = react_step("Understand File", file_name="input/sample_submission.csv", things_to_look_for="columns")
    outcome = bench.run(model(look, write(WRITE), EXECUTE, DONE))
    assert outcome.claim == {"end": "finished", "message": "that is all", "steps": 4}, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid
    assert (outcome.outbox / "code" / "solution.py").read_text() == WRITE
    assert not (outcome.outbox / "code" / "input").exists()
    seen = observations(outcome)
    assert "in short" in seen[0] and "written" in seen[2]
    assert sorted(os.listdir(env_log(outcome) / "traces")) == ["step_2_files", "step_3_files"]
    states = [path.name for path in (outcome.outbox / "logs" / "mlab" / "agent_log").glob("agent_*.json")]
    assert len(states) == 1
    facts = json.loads((outcome.outbox / "logs" / "mlab-source.json").read_text())
    assert facts["is_the_pinned_commit"] == bool(REAL)
    calls = outcome.lines("usage.jsonl")
    assert [call["role"] for call in calls] == ["agent", "fast", "agent", "agent", "agent"]
    assert {entry["model"] for entry in outcome.requests} == {"scripted/demo"}, "the reference, not the scaffold's name"
    prompt = next((outcome.outbox / "logs" / "mlab" / "agent_log").glob("step_0_log.log")).read_text()
    assert "./input" in prompt and "./submission.csv" in prompt and "/home/data" not in prompt


def test_scripts_are_ended_in_time_with_all_they_started(bench: Bench) -> None:
    bench.options["exec_timeout"] = "2"
    stubborn = (
        "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('begun', flush=True)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import os, time; os.setsid(); time.sleep(600)'])\n"
        "open('pid.txt', 'w').write(str(child.pid))\ntime.sleep(600)\n"
    )
    look = "import os\ntry: os.kill(int(open('pid.txt').read()), 0); print('ALIVE')\nexcept OSError: print('GONE')\n"
    outcome = bench.run(
        model(write(stubborn), EXECUTE, write(look), EXECUTE, write("import os; os._exit(9)"), EXECUTE, DONE)
    )
    assert outcome.claim["end"] == "finished", outcome.printed
    seen = observations(outcome)
    assert "longer than 2 seconds" in seen[1] and "GONE" in seen[3] and "executed" in seen[5]
    assert outcome.seconds < 40


@pytest.mark.parametrize("fault", [{"status": 500}, {"hang": True}])
def test_a_model_that_is_down_ends_the_run(fault: dict[str, Any], bench: Bench) -> None:
    bench.options |= {"model_timeout": "1", "model_patience": "2"}
    outcome = bench.run(model(write(WRITE), EXECUTE, fault))
    assert outcome.claim["end"] == "model_failure" and outcome.claim["steps"] == 2, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid and outcome.exit.code == 0


def test_a_model_that_fails_within_a_tool_ends_the_run_too(bench: Bench) -> None:
    bench.options |= {"model_patience": "1"}
    script = model(react_step("Understand File", file_name="train.py", things_to_look_for="all"))
    script["rules"][1] = {"reply": {"status": 500}}
    outcome = bench.run(script)
    assert outcome.claim["end"] == "model_failure" and "kept failing" in outcome.claim["message"]


def test_a_refused_tool_request_is_an_observation(bench: Bench) -> None:
    script = model(react_step("Understand File", file_name="train.py", things_to_look_for="all"), DONE)
    script["rules"][1] = {"reply": {"status": 400, "error": "content policy"}}
    outcome = bench.run(script)
    assert outcome.claim["end"] == "finished" and "content policy" in observations(outcome)[0], outcome.printed


def test_budget_steps_and_form_are_told_apart(bench: Bench) -> None:
    refusal = {"status": 429, "code": "budget_exhausted", "error": "all spent", "headers": {"x-should-retry": "false"}}
    spent = bench.run(model(write(WRITE), EXECUTE, refusal))
    assert spent.claim["end"] == "finished" and "all spent" in spent.claim["message"] and spent.grade is not None
    formless = bench.run(model({"text": "No."}))
    assert formless.claim["end"] == "model_failure" and "form" in formless.claim["message"]
    bench.step_limit = 2
    steps = bench.run(model(write(WRITE), EXECUTE))
    assert steps.claim == {"end": "out_of_steps", "message": None, "steps": 2} and steps.grade is not None


def test_time_is_over_in_the_middle_of_a_script(bench: Bench) -> None:
    bench.time_limit = 12
    outcome = bench.run(model(write(WRITE + "import time\ntime.sleep(500)"), EXECUTE, EXECUTE))
    assert outcome.claim["end"] == "out_of_time" and outcome.seconds < 13, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid


def test_without_its_image_it_says_how_to_build_it(bench: Bench) -> None:
    bench.environment["MLAB_HOME"] = "/nowhere"
    outcome = bench.run(model(DONE))
    assert outcome.exit.code == 1 and "mlebench agents build mlab" in outcome.claim["message"]


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, FOLDER / "record_source.py", tmp_path, tmp_path / "target"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0 and "no checkout of MLAgentBench" in refused.stderr


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The image, built from the source folder under a name of the test's own."""
    engine = need_engine()
    name = f"mlebench-test-mlab-{uuid.uuid4().hex[:8]}"
    network = os.environ.get("MLEBENCH_BUILD_NETWORK", "host")
    with dropping(engine, name):
        recipe = replace(recipe_of(load_agent("mlab")), image=name)
        ensure_image(recipe, engine, BuildOptions({}, source=SOURCE, network=network), Quiet())
        yield name


@pytest.mark.docker
def test_its_image_from_a_source_folder(image: str, practice: PreparedPaths, tmp_path: Path) -> None:
    bench = Bench(load_agent("mlab"), DockerSandbox(), practice, tmp_path, time_limit=60, image=image)
    outcome = bench.run(model(write(WRITE), EXECUTE, DONE))
    assert outcome.claim == {"end": "finished", "message": "that is all", "steps": 3}, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid
    assert (outcome.outbox / "code" / "solution.py").read_text() == WRITE
