"""AIDE itself in real containers, with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scaffold_kit import Bench, Outcome

from mlebench.agents.agent import load_agent
from mlebench.data.paths import PreparedPaths
from mlebench.sandbox.docker import DockerSandbox

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("aide")]

MODULE = """import csv
rows = list(csv.DictReader(open("./input/sample_submission.csv")))
"""
WRITE = """with open("./working/submission.csv", "w") as file:
    file.write("id,malignant\\n" + "".join(f"{row['id']},VALUE\\n" for row in rows))
"""


@pytest.fixture
def bench(practice: PreparedPaths, scaffold_image: Callable[[str], str], tmp_path: Path) -> Bench:
    agent = load_agent("aide")
    return Bench(agent, DockerSandbox(), practice, tmp_path, image=scaffold_image("aide"))


def script(code: str) -> dict[str, Any]:
    return {"text": f"A plan in words.\n\n```python\n{code}\n```\n"}


def writing(value: float, then: str = "") -> dict[str, Any]:
    return script(MODULE + WRITE.replace("VALUE", str(value)) + then)


def review(metric: Any, is_bug: bool = False) -> dict[str, Any]:
    arguments = {"is_bug": is_bug, "summary": "seen", "metric": metric, "lower_is_better": False}
    return {"tool": {"name": "submit_review", "arguments": arguments}}


def model(scripts: list[dict[str, Any]], reviews: list[dict[str, Any]]) -> dict[str, Any]:
    return {"rules": [{"has_tool": "submit_review", "replies": reviews}, {"no_tools": True, "replies": scripts}]}


def journal(outcome: Outcome) -> list[dict[str, Any]]:
    return list(json.loads((outcome.outbox / "logs" / "aide" / "journal.json").read_text())["nodes"])


def test_demonstration_to_a_graded_submission(bench: Bench) -> None:
    outcome = bench.run(json.loads((bench.agent.folder / "scripted" / "demo.json").read_text()))
    assert outcome.exit.code == 0 and outcome.claim["end"] == "finished", outcome.printed
    assert outcome.claim["steps"] == 4 and "budget" in outcome.claim["message"]
    assert outcome.grade is not None and outcome.grade.score is not None and outcome.grade.score > 0.98
    solution = (outcome.outbox / "code" / "solution.py").read_text()
    assert "LogisticRegression" in solution, "the best node was the third, not the last"
    steps = outcome.lines("aide/steps.jsonl")
    assert [step["buggy"] for step in steps] == [False, True, False, False]
    assert [step["best"] for step in steps] == [0, 0, 2, 2]
    assert [node["code"] for node in journal(outcome)][2] == solution
    assert (outcome.outbox / "logs" / "aide" / "tree_plot.html").stat().st_size > 1000
    assert "openai" not in (outcome.outbox / "logs" / "aide" / "config.yaml").read_text()
    answered = [line for line in outcome.lines("usage.jsonl") if "error" not in line]
    served = [entry for entry in outcome.requests if entry["status"] == 200]
    assert sum(line["tokens_in"] for line in answered) == sum(entry["usage"]["input"] for entry in served)
    assert sum(line["tokens_out"] for line in answered) == sum(entry["usage"]["output"] for entry in served)
    assert {line["role"] for line in answered} == {"code", "feedback"}


def test_scripts_that_misbehave_are_buggy_nodes_and_the_best_stays(bench: Bench) -> None:
    stubborn = """import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import os, time; os.setsid(); time.sleep(600)"])
while True: time.sleep(1)
"""
    look = """import pathlib
mine = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
print("LEFT BEHIND:", sum(b"time.sleep(600)" in line for line in mine))
for number in range(9000): print("line", number)
print("score 0.6")
"""
    scripts = [
        writing(0.5, 'print("score 0.7")'),
        script("import os\nprint('last words', flush=True)\nimport time; time.sleep(0.3)\nos._exit(3)"),
        script(stubborn),
        script("print('no file at all')"),
        writing(0.4, look),
        writing(0.3),
    ]
    broken = {"tool": {"name": "submit_review", "arguments": '{"is_bug": fal'}}
    reviews = [review(0.7), review(None, True), review(None, True), review(0.99), review(0.6), broken]
    bench.options |= {"exec_timeout": "2", "debug_prob": "0", "num_drafts": "9"}
    bench.step_limit = 6
    played = model(scripts, reviews)
    too_long = {"status": 400, "error": "maximum context length is 4096 tokens"}
    played["rules"].insert(0, {"no_tools": True, "match": "Design:.*Design:", "reply": too_long})
    outcome = bench.run(played)
    assert outcome.exit.code == 0 and outcome.claim == {"end": "out_of_steps", "message": None, "steps": 6}, (
        outcome.printed
    )
    steps = outcome.lines("aide/steps.jsonl")
    assert [step["buggy"] for step in steps] == [False, True, True, True, False, True]
    assert [step["exception"] for step in steps[:4]] == [None, "RuntimeError", "TimeoutError", None]
    printed = ["".join(node["_term_out"]) for node in journal(outcome)]
    assert "last words" in printed[1] and "died" in printed[1]
    assert "left no file ./working/submission.csv" in printed[3]
    assert "LEFT BEHIND: 0" in printed[4] and "line 8999\nscore 0.6\n" in printed[4] and len(printed[4]) < 21_000
    assert "could not be read" in journal(outcome)[5]["analysis"]
    assert [entry["status"] for entry in outcome.requests].count(400) == 1, "the memory was shortened, and it went on"
    assert outcome.submission.read_text().splitlines()[1].endswith(",0.5")
    assert outcome.grade is not None and outcome.grade.valid


def test_time_is_over_in_the_middle_of_a_script(bench: Bench) -> None:
    bench.time_limit = 36
    bench.options |= {"debug_prob": "0"}
    outcome = bench.run(
        model([writing(0.5), script("import time\ntime.sleep(500)")], [review(0.7), review(None, True)])
    )
    assert outcome.claim["end"] == "out_of_time" and outcome.exit.code == 0, outcome.printed
    assert outcome.seconds < 36 + 4, "it ends by itself before the deadline; starting takes a moment"
    assert outcome.submission.read_text().splitlines()[1].endswith(",0.5") and len(journal(outcome)) >= 1


def test_sigterm_saves_what_is_there(bench: Bench) -> None:
    endless = script("import time\nopen('/home/logs/running', 'w').write('yes')\ntime.sleep(500)")
    outcome = bench.run(model([writing(0.5), endless], [review(0.7)]), stop_when="logs/running")
    assert outcome.claim["end"] == "out_of_time" and outcome.claim["steps"] == 1, outcome.printed
    assert outcome.exit.code == 0 and len(journal(outcome)) == 1
    assert outcome.grade is not None and outcome.grade.valid


def test_a_model_that_is_down_ends_the_run(bench: Bench) -> None:
    bench.options |= {"model_patience": "2"}
    outcome = bench.run(model([writing(0.5), {"status": 500}], [review(None, True)]))
    assert outcome.claim["end"] == "model_failure" and outcome.exit.code == 0, outcome.printed
    assert "kept failing" in outcome.claim["message"] and "No script was found good" in outcome.claim["message"]
    assert outcome.submission.is_file(), "a doubtful submission is better than none"
