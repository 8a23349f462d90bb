"""An agent image written for the published benchmark's container contract runs as it is, to a graded submission."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from toys import SAMPLE, Attempt, Toy

from mlebench.agents.agent import load_agent
from mlebench.agents.building import build_folder
from mlebench.sandbox.docker import DEFAULT_IMAGE, DockerSandbox
from mlebench.validation.launcher import ValidationService

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
from running_kit import make_world

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("published-contract")]
FOLDER = Path(__file__).with_name("published_contract")


@pytest.fixture(scope="module")
def image(engine: DockerSandbox) -> Iterator[str]:
    name = f"{load_agent(str(FOLDER)).facts.image}-{uuid.uuid4().hex[:8]}"
    build_folder(name, FOLDER, {"BASE_IMAGE": DEFAULT_IMAGE})
    yield name
    engine._client.images.remove(name, force=True)


def test_through_the_sandbox(engine: DockerSandbox, image: str, toy: Toy) -> None:
    facts = load_agent(str(FOLDER)).facts
    attempt = Attempt(toy, "", name=f"mlebench-test-{uuid.uuid4().hex[:10]}", command=tuple(facts.command))
    with ValidationService(toy.competition, toy.sample, attempt.home / "calls.jsonl", socket=attempt.socket) as service:
        try:
            attempt.handle = engine.start(replace(attempt.spec, image=image, agent_dir=_as_a_user_has_it(toy, image)))
            ended = engine.wait(attempt.handle, 120)
            assert ended is not None and ended.code == 0, attempt.printed(engine)
        finally:
            engine.remove(attempt.handle or attempt.name)
        verdicts = [entry["valid"] for entry in service.entries()]
    assert verdicts == [False, True, True, True]
    logs = attempt.outbox / "logs"
    assert (attempt.outbox / "submission" / "submission.csv").read_text().replace("\r", "") == SAMPLE
    assert (logs / "steps").read_text() == "3 of 60" and (attempt.outbox / "code" / "solve.py").is_file()
    text = (logs / "full_instructions.txt").read_text()
    assert "/home/submission/submission.csv" in text and "Predict y." in text
    assert (
        "competition toy, 60 seconds, settings: agent.steps=3 agent.name=test agent" in (logs / "agent.log").read_text()
    )


def _as_a_user_has_it(toy: Toy, image: str) -> Path:
    """What a user has beside such an image: a folder with nothing but agent.toml."""
    folder = toy.root / "published-contract"
    folder.mkdir(exist_ok=True)
    facts = (FOLDER / "agent.toml").read_text()
    (folder / "agent.toml").write_text(facts.replace("mlebench-test-published-contract", image))
    return folder


def test_through_the_command_line(engine: DockerSandbox, image: str, tmp_path: Path) -> None:
    world = make_world(tmp_path)
    folder = _as_a_user_has_it(world.toy, image)
    arguments = ["run", "--agent", str(folder), "-c", "toy", "--data-dir", str(tmp_path / "data")]
    arguments += ["--competitions-dir", str(tmp_path / "competitions"), "--runs-dir", str(world.runs), "--name", "r"]
    arguments += ["--sandbox", "docker", "--memory", "0.5", "--cpus", "1", "--time-limit", "2m"]
    done = subprocess.run([sys.executable, "-m", "mlebench", *arguments], capture_output=True, text=True, check=False)
    printed = world.runs / "r" / "toy-s0" / "agent.log"
    assert done.returncode == 0, done.stdout + done.stderr + (printed.read_text() if printed.exists() else "")
    record = json.loads((world.runs / "r" / "toy-s0" / "attempt.json").read_text())
    assert record["end"] == "finished" and record["grade"]["outcome"] == "graded" and record["validations"] == 4
    assert record["grade"]["score"] == 0.5
    assert engine._client.api.containers(all=True, filters={"ancestor": image}) == []
