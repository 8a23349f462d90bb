"""mlab-style from start to end, with a scripted model: as a process, and once in a container."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from agents_kit import need_engine
from scaffold_kit import Bench, react_step

from mlebench.agents.agent import load_agent
from mlebench.data.paths import PreparedPaths
from mlebench.sandbox.docker import DockerSandbox
from mlebench.sandbox.process import ProcessSandbox

BEGIN = "^You are a machine-learning researcher"
WRITE = "import csv\nrows = list(csv.DictReader(open('input/sample_submission.csv')))\nopen('submission.csv', 'w').write('id,malignant\\n' + ''.join(r['id'] + ',0.5\\n' for r in rows))\n"


@pytest.fixture
def bench(practice: PreparedPaths, tmp_path: Path) -> Bench:
    return Bench(load_agent("mlab-style"), ProcessSandbox(), practice, tmp_path, time_limit=60)


def write(code: str, name: str = "a.py") -> dict[str, Any]:
    return react_step("Write File", file_name=name, content=code)


def execute(name: str = "a.py") -> dict[str, Any]:
    return react_step("Execute Script", script_name=name)


def model(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"rules": [{"match": BEGIN, "replies": list(steps)}, {"reply": {"text": "[Observation]: in short"}}]}


DONE = react_step("Final Answer", final_answer="that is all")


@pytest.mark.parametrize("sandbox", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_demonstration_to_a_graded_submission(sandbox: str, bench: Bench) -> None:
    bench.validation = True
    bench.time_limit = 240  # nobody waits for it; a busy machine needs a while to import scikit-learn
    if sandbox == "docker":
        need_engine()
        bench.sandbox = DockerSandbox()
    outcome = bench.run(json.loads((bench.agent.folder / "scripted" / "demo.json").read_text()))
    assert outcome.claim["end"] == "finished" and outcome.claim["steps"] == 6 and outcome.exit.code == 0, (
        outcome.printed
    )
    assert outcome.grade is not None and outcome.grade.score is not None and outcome.grade.score > 0.98
    solution = (outcome.outbox / "code" / "solution.py").read_text()
    assert (
        "LogisticRegression" in solution and (outcome.outbox / "code" / "models" / "train.py").read_text() == solution
    )
    steps = outcome.lines("steps.jsonl")
    assert [step["action"] for step in steps][-3:] == ["Execute Script", "Validate Submission", "Final Answer"]
    assert steps[4]["observation"].startswith("Submission is valid")
    assert "Held-out AUC" in steps[3]["observation"] and all(step["completion"] for step in steps)
    calls = outcome.lines("usage.jsonl")
    assert {call["role"] for call in calls} == {"agent", "fast", "edit"}
    assert sum(call["tokens_in"] for call in calls) == sum(entry["usage"]["input"] for entry in outcome.requests)


def test_steps_run_out_and_time_and_steps_are_told(bench: Bench) -> None:
    bench.step_limit = 3
    outcome = bench.run(model(write(WRITE), execute(), react_step("List Files", dir_path=".")))
    assert outcome.claim == {"end": "out_of_steps", "message": None, "steps": 3}
    told = outcome.lines("prompts.jsonl")[2]["after_initial_prompt"]
    assert "STEPS_REMAINING: 1" in told and "TIME_REMAINING:" in told
    assert outcome.grade is not None and outcome.grade.valid


def test_time_is_over_in_the_middle_of_a_stubborn_script(bench: Bench) -> None:
    bench.time_limit = 12
    stubborn = WRITE + "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(500)\n"
    outcome = bench.run(model(write(stubborn), execute(), execute()))
    assert outcome.claim["end"] == "out_of_time" and outcome.seconds < 13, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid, "what the script wrote before is handed in"


def test_scripts_that_fail_are_observations(bench: Bench) -> None:
    bench.options["exec_timeout"] = "1"
    outcome = bench.run(
        model(
            write("import os\nos._exit(7)"),
            execute(),
            write("import time\ntime.sleep(60)"),
            execute(),
            react_step("Execute Script", script_name="none.py"),
            react_step("Execute Script", name="a.py"),
            {"text": "I have no idea."},
            DONE,
        )
    )
    seen = [step.get("observation") or step["thrown_away"] for step in outcome.lines("steps.jsonl")]
    assert "exit code 7" in seen[1] and "longer than 1 seconds" in seen[3] and "no script none.py" in seen[4]
    assert seen[5].startswith("ActionInputParsingError: missing: script_name; unknown: name")
    assert "'Reflection' is missing" in seen[6] and outcome.claim["end"] == "finished"
    assert outcome.grade is None


def test_a_model_that_never_finds_the_form_ends_the_run(bench: Bench) -> None:
    outcome = bench.run(model({"text": "No."}))
    assert outcome.claim["end"] == "model_failure" and "form" in outcome.claim["message"]
    assert len(outcome.requests) == 5 and outcome.exit.code == 0


@pytest.mark.parametrize("fault", [{"status": 500}, {"hang": True}])
def test_a_model_that_is_down_ends_the_run(fault: dict[str, Any], bench: Bench) -> None:
    bench.options |= {"model_timeout": "1", "model_patience": "2"}
    outcome = bench.run(model(write(WRITE), execute(), fault))
    assert outcome.claim["end"] == "model_failure" and outcome.claim["steps"] == 2, outcome.printed
    assert outcome.grade is not None and outcome.grade.valid


def test_a_used_up_budget_ends_the_run_with_what_there_is(bench: Bench) -> None:
    refusal = {"status": 429, "code": "budget_exhausted", "error": "all spent", "headers": {"x-should-retry": "false"}}
    outcome = bench.run(model(write(WRITE), execute(), refusal))
    assert outcome.claim["end"] == "finished" and "all spent" in outcome.claim["message"]
    assert outcome.grade is not None and outcome.grade.valid


def test_prompts_shrink_until_the_model_can_read_them(bench: Bench) -> None:
    long = write("print('y' * 4000)")
    script = model(long, execute(), execute(), execute(), DONE)
    too_long = {"status": 400, "error": "maximum context length is 4096 tokens"}
    script["rules"].insert(0, {"match": "(y{4000}.*){2}", "reply": too_long})
    outcome = bench.run(script)
    assert outcome.claim["end"] == "finished" and outcome.claim["steps"] == 5, outcome.printed
    assert any(entry["status"] == 400 for entry in outcome.requests)


def test_asked_to_end_it_saves_first(bench: Bench) -> None:
    endless = (
        "import pathlib, os, time\npathlib.Path(os.environ['LOGS_DIR'], 'running').write_text('yes')\ntime.sleep(500)"
    )
    outcome = bench.run(model(write(WRITE), execute(), write(endless), execute()), stop_when="logs/running")
    assert outcome.claim["end"] == "out_of_time" and outcome.claim["steps"] == 3
    assert outcome.grade is not None and outcome.grade.valid


def test_a_bad_option_is_told_in_a_sentence(bench: Bench) -> None:
    bench.options["temperature"] = "hot"
    outcome = bench.run(model(DONE))
    assert outcome.exit.code == 1 and "Traceback" not in outcome.printed
    assert outcome.claim == {
        "end": "crashed",
        "message": "The option temperature must be a number, not 'hot'.",
        "steps": 0,
    }
