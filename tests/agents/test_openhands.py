"""The OpenHands agent in its image: to a graded submission, and what it does when model, time or steps fail it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from agents_kit import mlebench, need_engine, prepared_data
from by_hand import KEY, Ended, attempt

from mlebench.agents.agent import load_agent
from mlebench.content import content_dir

FOLDER = content_dir("agents") / "openhands"


def shell(command: str, **more: Any) -> dict[str, Any]:
    """An answer that runs a command."""
    arguments = {"command": command, "security_risk": "LOW", "summary": "s", **more}
    return {"tool": {"name": "terminal", "arguments": arguments}}


def run(tmp_path: Path, *replies: dict[str, Any], **options: Any) -> Ended:
    """Run the agent with a model that gives these answers, the last one for ever."""
    need_engine("mlebench-openhands")
    script = {"rules": [{"has_tool": "terminal", "replies": list(replies)}]}
    tmp_path.chmod(0o755)
    return attempt(tmp_path, "openhands", prepared_data(), script, **options)


@pytest.mark.docker
def test_to_a_graded_submission(tmp_path: Path) -> None:
    need_engine("mlebench-openhands")
    where = ["--runs-dir", str(tmp_path), "--data-dir", str(prepared_data()), "--name", "run", "--json"]
    what = ["--agent", "openhands", "-c", "practice-breast-cancer", "--model", "scripted/demo", "--time-limit", "5m"]
    done = mlebench("run", *what, *where)
    assert done.returncode == 0, done.stderr
    (attempt,) = json.loads(done.stdout)["attempts"]
    folder = tmp_path / "run" / attempt["id"]
    assert (attempt["end"], attempt["claim"]["steps"]) == ("finished", 8), (folder / "agent.log").read_text()
    assert attempt["grade"]["outcome"] == "graded" and attempt["grade"]["score"] > 0.95
    assert (attempt["usage"]["calls"], attempt["usage"]["errors"], attempt["usage"]["unmetered"]) == (8, 0, 0)
    assert "RandomForest" in (folder / "code" / "solution.py").read_text()
    events = [json.loads(line) for line in (folder / "logs" / "events.jsonl").read_text().splitlines()]
    assert [one["kind"] for one in events][:2] == ["SystemPromptEvent", "MessageEvent"]
    assert sum(one["kind"] == "ActionEvent" for one in events) == 8
    first = events[1]["llm_message"]["content"][0]["text"]
    assert "machine-learning competition" in first and "Hardware: " in first and "solution.py" in first
    assert "/opt/task/bin/python" in json.dumps(events)
    assert len(list((folder / "logs" / "completions").iterdir())) == 8
    counted = json.loads((folder / "logs" / "usage.json").read_text())["agent"]["accumulated_token_usage"]
    usage = attempt["usage"]
    assert (counted["prompt_tokens"], counted["completion_tokens"]) == (usage["tokens_in"], usage["tokens_out"])


@pytest.mark.docker
def test_a_model_that_fails_for_ever_is_given_up(tmp_path: Path) -> None:
    failing = {"status": 500, "error": "out of order"}
    ended = run(tmp_path, failing, OPTION_MODEL_PATIENCE="3")
    assert ended.claim["end"] == "model_failure" and "out of order" in ended.claim["message"]
    assert len(ended.calls) >= 2
    assert {call["parameters"]["max_completion_tokens"] for call in ended.calls} == {8192}
    assert set(ended.calls[0]["parameters"]) == {"model", "max_completion_tokens"}  # nothing a provider may not know
    for path in ended.outbox.rglob("*"):
        assert not path.is_file() or KEY not in path.read_text(errors="replace"), path
    spent = run(tmp_path, {"status": 429, "error": "budget_exhausted: no dollars are left"})
    assert spent.claim["end"] == "model_failure" and "budget_exhausted" in spent.claim["message"]
    assert len(spent.calls) == 1


@pytest.mark.docker
def test_endless_chatter_ends(tmp_path: Path) -> None:
    ended = run(tmp_path, {"text": "Let me think about it."})
    assert ended.claim["end"] == "model_failure" and "no tool in 3 turns" in ended.claim["message"]
    assert len(ended.calls) == 3


@pytest.mark.docker
def test_steps_are_counted_over_all_turns_and_the_shell_has_no_key(tmp_path: Path) -> None:
    hiccup = {"status": 503, "error": "later"}
    work = [hiccup, shell("echo 1"), {"text": "Well?"}, shell("echo 2"), shell("env"), shell("echo 4")]
    ended = run(tmp_path, *work, STEP_LIMIT="4")
    assert (ended.claim["end"], ended.claim["steps"], len(ended.calls)) == ("out_of_steps", 4, 5)
    shown = (ended.outbox / "logs" / "events.jsonl").read_text()
    assert "VALIDATE_SCRIPT" in shown and "API_KEY" not in shown and "BASE_URL" not in shown


@pytest.mark.docker
@pytest.mark.slow
def test_a_loop_is_told_so_and_then_ended(tmp_path: Path) -> None:
    stuck = run(tmp_path, shell("echo 1"), OPTION_IDLE_TURNS="2")
    assert (
        stuck.claim["end"] == "model_failure" and stuck.claim["message"].startswith("Stuck") and len(stuck.calls) == 8
    )
    assert "repeated the same action" in (stuck.outbox / "logs" / "events.jsonl").read_text()


@pytest.mark.docker
def test_a_command_beyond_the_time_limit_is_cut_off(tmp_path: Path) -> None:
    write = "printf 'import os\\nprint(\"submission\")\\n' > first.py"
    for seconds in (25, 60, 150):  # the first is enough where the machine has time to import the SDK in it
        ended = run(tmp_path, shell(write), shell("sleep 5555", timeout=6000), seconds=seconds)
        assert ended.claim["end"] == "out_of_time"
        if ended.claim["steps"] == 2:
            break
    assert ended.claim["steps"] == 2 and ended.exit is not None and ended.exit.code == 0, ended.printed
    assert ended.seconds < seconds + 30
    assert (ended.outbox / "code" / "solution.py").read_text() == (ended.outbox / "code" / "first.py").read_text()


@pytest.mark.docker
def test_sigterm_saves_what_there_is(tmp_path: Path) -> None:
    ended = run(tmp_path, shell("sleep 5555", timeout=6000), stop_when="step 1: terminal sleep")
    assert ended.exit is not None and ended.exit.code == 0, ended.printed
    assert (ended.claim["end"], ended.claim["message"]) == ("out_of_time", "Ended by SIGTERM.")
    assert (ended.outbox / "logs" / "usage.json").is_file()


def test_settings_are_read_and_the_shell_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "task", raising=False)
    import task

    (tmp_path / "instructions.txt").write_text("Do it.\n")
    folders = dict.fromkeys(("DATA_DIR", "CODE_DIR", "LOGS_DIR", "SUBMISSION_FILE"), str(tmp_path))
    model = {"MODEL": "p/m", "OPENAI_BASE_URL": "http://gateway/v1", "OPENAI_API_KEY": KEY}
    environment = {
        **folders,
        **model,
        "INSTRUCTIONS_FILE": str(tmp_path / "instructions.txt"),
        "TIME_LIMIT_SECS": "86400",
        "STEP_LIMIT": "",
        "OPTION_TEMPERATURE": "0.5",
        "OPTION_CONTINUE": "false",
    }
    settings = task.read_settings(environment, 1000.0)
    assert settings.deadline == 1000.0 + 86400 - 30 and settings.step_limit is None
    assert (settings.temperature, settings.go_on, settings.condenser_model) == (0.5, False, "p/m")
    assert "Do it." in task.first_message(settings)
    task.tidy_environment(environment)
    assert KEY not in environment.values() and "OPENAI_BASE_URL" not in environment
    assert environment["PATH"].startswith("/opt/task/bin:")
    declared = {name: option.default for name, option in load_agent("openhands").facts.options.items()}
    assert declared == task.DEFAULTS
    del environment["MODEL"]
    environment.update(model, OPTION_IDLE_TURNS="many")
    with pytest.raises(ValueError, match="many"):
        task.read_settings(environment, 0.0)


def test_the_newest_script_that_submits_stands_for_a_missing_solution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import leavings

    for age, (name, text) in enumerate(
        {"try.py": "submission 2", "sub/first.py": "submission 1", "eda.py": ""}.items()
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, (2_000_000_000 - age, 2_000_000_000 - age))
    os.utime(tmp_path / "eda.py", (2_100_000_000, 2_100_000_000))
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    leavings.keep_solution(tmp_path)
    assert (tmp_path / "solution.py").read_text() == "submission 2"
    (tmp_path / "solution.py").write_text("mine")
    leavings.keep_solution(tmp_path)
    assert (tmp_path / "solution.py").read_text() == "mine"
