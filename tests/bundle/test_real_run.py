"""A run as a user makes it (command line, real gateway, scripted model), packed, given away, verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from bundle_kit import Made, failing, verdicts
from running_kit import PERFECT, World
from toys import CANARY
from typer.testing import CliRunner

from mlebench.cli import verbs  # noqa: F401
from mlebench.cli.app import app
from mlebench.registry import Registry
from mlebench.running.grading import regrade_run
from mlebench.running.store import load_run

PROVIDER_KEY = "sk-proj-of-whoever-pays-for-it"
AGENT = f"""
import json, os, pathlib, subprocess, time, urllib.request

body = {{"model": os.environ["MODEL"], "messages": [{{"role": "user", "content": "hi"}}]}}
headers = {{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
for _ in range(3):
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60).read()
submission = pathlib.Path(os.environ["SUBMISSION_FILE"])
submission.write_text("id,y\\n1,1\\n2,1\\n3,1\\n")
subprocess.run(["sh", os.environ["VALIDATE_SCRIPT"], str(submission)], check=True)
time.sleep(5)
submission.write_text({PERFECT!r})
print("environment", {{key: value for key, value in os.environ.items() if "KEY" not in key}})
"""


def _environment(world: World) -> dict[str, str]:
    data = {
        "MLEBENCH_DATA_DIR": str(world.root / "data"),
        "MLEBENCH_COMPETITIONS_DIR": str(world.root / "competitions"),
    }
    return {**data, "OPENAI_API_KEY": PROVIDER_KEY}


def _run(world: World, *arguments: str) -> None:
    command = [sys.executable, "-m", "mlebench", "run", "--agent", str(world.agent), "-c", "toy", *arguments]
    environment = {**os.environ, **_environment(world)}
    done = subprocess.run(
        command, env=environment, cwd=world.root, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr


def _call(world: World, *arguments: object) -> Any:
    """What a verb prints as JSON."""
    runner = CliRunner()
    result = runner.invoke(app, [*map(str, arguments), "--json"], env=_environment(world), catch_exceptions=False)
    return json.loads(result.stdout)


def _contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened}  # type: ignore[union-attr]


def test_a_run_with_a_model_is_packed_and_verified(world: World) -> None:
    world.uses_model()
    world.script(AGENT)
    limits = ["--sandbox", "process", "--name", "run", "--grace", "1s", "--budget-calls", "10"]
    _run(world, "--model", "scripted/demo", *limits)
    where = ("--runs-dir", world.runs)
    (packed,) = _call(world, "runs", "bundle", "run", "-o", world.root / "given", *where)
    told = _call(world, "verify", packed["file"], "--expect-digest", packed["digest"])
    verdict = {claim["key"]: claim["verdict"] for claim in told["claims"]}
    # This sandbox does not isolate, which is said; all else that can be shown holds.
    assert {key for key, value in verdict.items() if value == "fails"} == {"isolation", "network"}
    shown = {"files", "origin", "records", "chains", "order", "one_chance", "snapshots", "snapshot_files", "deadline"}
    shown |= {"submission", "validations", "usage", "plan", "budgets", "models", "regrade", "regrade_snapshots"}
    assert {key for key, value in verdict.items() if value == "holds"} >= shown
    why = {claim["key"]: claim["why"] for claim in told["claims"]}
    assert "3 calls, 30 tokens in, 15 out" in why["usage"] and "counts 1" in why["validations"]
    assert "3 calls of 10 calls" in why["budgets"]
    contents = _contents(Path(packed["file"]))
    everything = b"".join(contents.values())
    assert CANARY.encode() not in everything and PROVIDER_KEY.encode() not in everything
    assert b"sk-mlebench-" not in everything  # the attempt's own key, which this agent did not print
    names = {name.split("/", 1)[1] for name in contents}
    assert names >= {"environment.json", "usage.jsonl", "events.jsonl", "submission/submission.csv", "agent.log"}
    report = _call(world, "report", "run", *where)["report"]
    assert report["competitions"][0]["attempts"][0]["bundle"] == packed["digest"]
    assert report["models"]["models"][0] | {"usd": None} == {
        "model": "scripted/demo",
        "calls": 3,
        "attempts": 1,
        "tokens_in": 30,
        "tokens_out": 15,
        "usd": None,
    }
    assert [step["score"] for step in report["competitions"][0]["attempts"][0]["steps"]][-1] == 1.0
    _regraded(world)


def _regraded(world: World) -> None:
    """Graded again, it is sealed again, and all holds as before."""
    regrade_run("run", world.runs, Registry([world.root / "competitions"]))
    attempt = load_run("run", world.runs).attempts[0]
    made = Made(world, world.runs / "run" / attempt.id, world.config(), attempt)
    result = made.verify(answers=True, expected=attempt.bundle)
    assert failing(result) == {"isolation", "network"} and verdicts(result)["regrade"] == "holds"
    assert "graded 2 times" in next(claim.why for claim in result.claims if claim.key == "order")
