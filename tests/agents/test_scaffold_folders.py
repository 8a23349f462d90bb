"""What holds for every scaffold's folder, without running it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from mlebench.agents.agent import load_agent
from mlebench.content import content_dir
from mlebench.scripted.script import parse_script

AGENTS = content_dir("agents")
SCAFFOLDS = ("aide", "mlab-style", "mlab")
KIT = content_dir("environment") / "kit"


@pytest.mark.parametrize("name", SCAFFOLDS)
def test_folder_says_what_it_is(name: str) -> None:
    agent = load_agent(name)
    assert agent.facts.models is not None and agent.facts.needs.step_limit
    readme = (agent.folder / "README.md").read_text()
    for option in agent.facts.options:
        assert f"`{option}`" in readme, f"README.md of {name} says nothing of the option {option}"
    parse_script(json.loads((agent.folder / "scripted" / "demo.json").read_text()))


@pytest.mark.parametrize("name", ("aide", "mlab"))
def test_image_starts_from_an_argument_and_holds_no_driver(name: str) -> None:
    lines = [
        line
        for line in (AGENTS / name / "Dockerfile").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert lines[0].startswith("ARG BASE_IMAGE=") and lines[1].startswith("FROM ${BASE_IMAGE}")
    assert (AGENTS / name / ".dockerignore").read_text().splitlines()[1] == "*"


def test_every_package_of_aide_is_pinned() -> None:
    lines = (AGENTS / "aide" / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 30 and "aideml==0.2.2" in pins
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9_.]*", pin) for pin in pins)


@pytest.mark.parametrize("name", ("mlab-style", "mlab"))
def test_needs_the_standard_library_alone(name: str) -> None:
    import sys

    folder = AGENTS / name
    own = {path.stem for path in folder.iterdir()} | {"MLAgentBench", "agentkit"}
    for path in (*folder.rglob("*.py"), *KIT.rglob("*.py")):
        for imported in _imports(path):
            assert imported in own or imported in sys.stdlib_module_names, f"{path} imports {imported}"


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found
