"""`mlebench agents new` and `check` as a user meets them, and `list` and `show`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents_kit import mlebench, need_engine, prepared_data

from mlebench.agents.agent import builtin_agents, load_agent
from mlebench.agents.check_runs import leftovers
from mlebench.errors import AgentError


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where `agents check` makes its folders: a place of this test's own, near enough to the root for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="mlebench-tests-"))
    folder.chmod(0o755)  # as /tmp: agents in containers run as another user
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def check(folder: Path, *arguments: str, sandbox: str = "process") -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and what was found: what -> verdict and detail."""
    where = ["--sandbox", sandbox, "--data-dir", str(prepared_data()), "--json"]
    done = mlebench("agents", "check", str(folder), "--time-limit", "40s", *where, *arguments)
    lines = json.loads(done.stdout)["lines"]
    return done.returncode, {line["what"]: (line["verdict"], line["detail"]) for line in lines}


def make(tmp_path: Path, name: str = "mine", *arguments: str) -> Path:
    done = mlebench("agents", "new", name, "--dir", str(tmp_path), *arguments)
    assert done.returncode == 0 and f"mlebench agents check {tmp_path / name}" in done.stdout, done.stderr
    return tmp_path / name


@pytest.mark.docker
@pytest.mark.parametrize("sandbox", ["docker", pytest.param("process", marks=pytest.mark.slow)])
def test_a_new_agent_works_at_once(tmp_path: Path, sandbox: str) -> None:
    need_engine()
    old = os.umask(0o077)  # whatever the umask is, the agent's user in the container can read the folder
    try:
        folder = make(tmp_path)
    finally:
        os.umask(old)
    code, found = check(folder, sandbox=sandbox)
    assert code == 0 and {verdict for verdict, _ in found.values()} == {"ok"}, found
    assert found["asks the model"][1] == "3 calls" and "score 0.99" in found["is valid"][1]
    assert "finished after 3 steps" in found["outcome.json"][1] and "of 10 s" in found["keeps the time limit"][1]


def test_what_does_not_work_is_said(tmp_path: Path, scratch: Path) -> None:
    folder = make(tmp_path)
    (folder / "start.py").write_text(
        "import os, signal, time\n"
        "print('here', flush=True)\n"
        "open(os.environ['SUBMISSION_FILE'], 'w').write('id,wrong\\n1,2\\n')\n"
        "time.sleep(5)\nraise SystemExit('no more')\n"
    )
    code, found = check(folder)
    assert code == 1
    assert found["ends"][0] == "fail" and "no more" in found["ends"][1]
    assert found["asks the model"][0] == "fail" and "OPENAI_BASE_URL" in found["asks the model"][1]
    assert found["writes a submission"][0] == "ok" and found["is valid"][0] == "fail"
    assert found["outcome.json"][0] == found["code/solution.py"][0] == "note"
    assert found["leaves nothing behind"][0] == "ok"
    (kept,) = scratch.glob("mlebench-check-*")
    assert (kept / "runs" / "check-1" / "practice-breast-cancer-s0" / "agent.log").read_text().startswith("here")


@pytest.mark.slow
def test_an_agent_that_does_not_end_on_sigterm_fails(tmp_path: Path) -> None:
    folder = make(tmp_path)
    text = (folder / "start.py").read_text()
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    assert "watch.start()" in text and "Clock(around.time_limit)" in text
    (folder / "start.py").write_text(
        text.replace("watch.start()", deaf).replace("Clock(around.time_limit)", "Clock(None)")
    )
    code, found = check(folder)
    assert code == 1 and [what for what, (verdict, _) in found.items() if verdict == "fail"] == ["keeps the time limit"]
    assert "had to be killed" in found["keeps the time limit"][1]


def test_ctrl_c_ends_what_runs(tmp_path: Path, scratch: Path) -> None:
    folder = make(tmp_path)
    (folder / "start.py").write_text(
        "import pathlib, time\npathlib.Path({!r}).touch()\ntime.sleep(300)\n".format(str(tmp_path / "up"))
    )
    command = [sys.executable, "-m", "mlebench", "agents", "check", str(folder), "--sandbox", "process"]
    command += ["--data-dir", str(prepared_data())]
    checking = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "up").exists():
        assert time.monotonic() < deadline and checking.poll() is None
        time.sleep(0.1)
    checking.send_signal(signal.SIGINT)
    _, told = checking.communicate(timeout=60)
    assert checking.returncode == 130 and "Traceback" not in told
    assert not list(scratch.iterdir()) and leftovers(scratch) == []


def test_what_cannot_be_tried_is_said_before_anything_runs(tmp_path: Path, scratch: Path) -> None:
    folder = make(tmp_path, "boxed", "--docker")
    assert (folder / "Dockerfile").is_file()
    facts = tomllib.loads((folder / "agent.toml").read_text())
    assert facts["image"] == "mlebench-boxed"
    code, found = check(folder, sandbox="docker")
    assert (code == 1 and "mlebench agents build boxed" in found.get("image", ("", "does not answer"))[1]) or code == 1
    (folder / "scripted" / "demo.json").unlink()
    code, found = check(folder)
    assert code == 1 and "demo.json" in found["scripted model"][1]
    code, found = check(Path("replay"))
    assert code == 1 and "cannot be checked alone" in found["inputs"][1]
    assert mlebench("agents", "check", "nobody").returncode == 2
    told = mlebench("agents", "check", "replay", "--sandbox", "process", "--data-dir", str(prepared_data()))
    assert told.returncode == 1 and told.stdout.endswith("Not everything works. It was not run.\n"), told.stdout
    assert not list(scratch.glob("mlebench-check-*"))


def test_new_refuses_what_cannot_be(tmp_path: Path) -> None:
    folder = make(tmp_path)
    for name, words in (("mine", "exists already"), ("My Agent", "lower-case"), ("../up", "lower-case")):
        done = mlebench("agents", "new", name, "--dir", str(tmp_path))
        assert done.returncode == 2 and words in done.stderr, done.stderr
    assert load_agent(str(folder)).facts.needs.step_limit == 20


def test_list_and_show() -> None:
    listed = json.loads(mlebench("agents", "list", "--json").stdout)
    assert [one["name"] for one in listed] == builtin_agents()
    by_name = {one["name"]: one for one in listed}
    assert by_name["dummy"]["model"] is None and by_name["dummy"]["process"]
    assert by_name["openhands"]["model"] == "openai-chat" and not by_name["openhands"]["process"]
    table = mlebench("agents", "list").stdout
    assert all(name in table for name in by_name)
    shown = mlebench("agents", "show", "openhands").stdout
    assert "condenser" in shown and "option      idle_turns=3" in shown and "mlebench-openhands" in shown
    assert "scripted/demo" in shown and "step limit 500" in shown
    facts = json.loads(mlebench("agents", "show", "replay", "--json").stdout)
    assert facts["options"]["script"]["default"] == "solution.py" and facts["readme"].startswith("# replay")
    missing = mlebench("agents", "show", "nobody")
    assert missing.returncode == 2 and "no agent 'nobody'" in missing.stderr


@pytest.mark.parametrize("name", builtin_agents())
def test_every_agent_is_in_order(name: str) -> None:
    agent = load_agent(name)
    assert agent.name == agent.folder.name == name
    assert (agent.folder / "README.md").read_text().startswith(f"# {name}\n")
    if agent.facts.models is not None:
        from mlebench.scripted.script import load_script

        assert load_script(agent.folder / "scripted" / "demo.json").rules
    for option in agent.facts.options.values():
        assert option.help


def test_an_input_needs_its_option(tmp_path: Path) -> None:
    folder = make(tmp_path)
    with (folder / "agent.toml").open("a") as file:
        file.write('[inputs.code]\noption = "from"\n')
    with pytest.raises(AgentError, match="option from, which is not declared"):
        load_agent(str(folder))
