"""mlab-style's modules: reading answers, the working folder, running scripts, long texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agentkit import execution
from agentkit.contract import Clock, OptionError, Surroundings
from agentkit.execution import execute
from agentkit.hand_in import HandIn, collect_code
from hypothesis import given
from hypothesis import strategies as st
from researcher.actions import Actions
from researcher.answers import (
    ENTRIES,
    AnswerError,
    ArgumentsError,
    code_block,
    cut_at_stop,
    read_answer,
    read_arguments,
)
from researcher.reading import BLOCK, LONG, blocks_at_line_ends, cut, shortened, understand
from researcher.settings import Settings
from researcher.workspace import ToolError, Workspace

from mlebench.agents.agent import load_agent
from mlebench.content import content_dir

NAMES = ("List Files", "Execute Script")


@pytest.fixture(autouse=True)
def _spare_the_tests_own_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts run from within this process here, whose other children are none of theirs."""
    monkeypatch.setattr(execution, "end_descendants", lambda: 0)


def answer(**changes: str) -> str:
    values = dict.fromkeys(ENTRIES, "something") | {"Action": "List Files", "Action Input": '{"dir_path": "."}'}
    return "\n".join(f"{name}: {value}" for name, value in (values | changes).items())


def test_an_answer_is_taken_apart() -> None:
    text = answer(
        **{"Research Plan and Status": "1. read\n2. **train**\nAction taken: none", "Reflection": "Thought: no"}
    )
    entries = read_answer(text + "\nObservation:\n```\nmade up\n```\n", NAMES)
    assert (entries.action, entries.plan) == ("List Files", "1. read\n2. train\nAction taken: none")
    assert read_arguments(entries.arguments, ["dir_path"]) == {"dir_path": "."}
    assert read_answer(entries.text(), NAMES) == entries


@pytest.mark.parametrize("form", ["**{}:** {}", "### {}: {}", "  {} : {}"])
def test_headings_in_other_clothes(form: str) -> None:
    values = dict.fromkeys(ENTRIES, "x") | {"Action": "`Execute Script`", "Action Input": '```json\n{"a": "b"}\n```'}
    entries = read_answer("\n".join(form.format(*pair) for pair in values.items()), NAMES)
    assert entries.action == "Execute Script" and read_arguments(entries.arguments, ["a"]) == {"a": "b"}


@pytest.mark.parametrize("missing", ENTRIES)
def test_each_entry_is_needed(missing: str) -> None:
    lines = [line for line in answer().splitlines() if not line.startswith(f"{missing}:")]
    with pytest.raises(AnswerError, match=missing):
        read_answer("\n".join(lines), NAMES)


def test_an_unknown_action_is_told_with_those_there_are() -> None:
    with pytest.raises(AnswerError, match="no action 'Fly'; there are: List Files, Execute Script"):
        read_answer(answer(Action="Fly"), NAMES)


@given(st.text(max_size=300))
def test_no_text_is_read_wrongly(text: str) -> None:
    for read in (lambda: read_answer(text, NAMES), lambda: read_arguments(text, ["a", "b"])):
        try:
            read()
        except (AnswerError, ArgumentsError):
            pass
    assert cut_at_stop(text) == text or "Observation:" in text


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=100), min_size=2))
def test_well_formed_arguments_survive(values: dict[str, str]) -> None:
    assert read_arguments(f"```json\n{json.dumps(values)}\n``` and more", ["a", "b"]) == values


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('{"file_name": "a.py", "content": "x = 1\ny = 2"}', "x = 1\ny = 2"),
        ('{"file_name": "a.py", "content": """x = "1"\n"""}', 'x = "1"\n'),
        ('{"file_name": "a.py", "content": "print("hello")"}', 'print("hello")'),
        ('{"file_name": "a.py", "content": 5}', "5"),
    ],
)
def test_arguments_that_models_write(text: str, content: str) -> None:
    assert read_arguments(text, ["file_name", "content"]) == {"file_name": "a.py", "content": content}


@pytest.mark.parametrize("text", ["nothing", '{"a": "x"}', '{"a": "x", "b": "y", "c": "z"}', '["a", "b"]', "{"])
def test_arguments_of_another_action_are_refused(text: str) -> None:
    with pytest.raises(ArgumentsError):
        read_arguments(text, ["a", "b"])


def test_code_is_the_longest_block() -> None:
    assert code_block("a\n```python\nx = 1\n```\nb\n```python\ny = 2\nz = 3\n```\n") == "y = 2\nz = 3\n"
    assert code_block("```python\nunfinished = 1") == "unfinished = 1\n"
    assert code_block("no code") is None and code_block("```python\n\n```") is None


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    (data / "train.csv").write_text("a,b\n1,2\n")
    (tmp_path / "secret").write_text("hidden")
    return Workspace(tmp_path / "work", data)


def test_names_stay_inside(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.read("input/train.csv").startswith("a,b")
    (workspace.root / "link").symlink_to(tmp_path / "secret")
    for name in ("../secret", "/etc/passwd", "link", "input/../../secret", "sub/../../secret", "a\0b"):
        with pytest.raises(ToolError):
            workspace.read(name)
    for name in ("input/train.csv", "input/new", "../new", ".", ".backups/x"):
        with pytest.raises(ToolError):
            workspace.write(name, "x")
    assert (tmp_path / "data" / "train.csv").read_text() == "a,b\n1,2\n"
    with pytest.raises(ToolError, match="no file"):
        workspace.read("missing.py")


def test_edits_are_undone_one_by_one_in_any_folder(workspace: Workspace) -> None:
    for version in range(12):
        workspace.back_up("deep/er/train.py")
        workspace.write("deep/er/train.py", f"v{version}")
    assert [workspace.undo("deep/er/train.py") for _ in range(11)] == [f"v{number}" for number in range(10, -1, -1)]
    with pytest.raises(ToolError, match="no edit"):
        workspace.undo("deep/er/train.py")
    assert workspace.listing(".") == "deep/\ninput/"


def test_code_is_collected_without_data_and_backups(workspace: Workspace, tmp_path: Path) -> None:
    workspace.write("models/train.py", "x")
    workspace.back_up("models/train.py")
    (workspace.root / "weights.bin").write_bytes(b"0" * 100)
    (workspace.root / "big.txt").write_bytes(b"0" * 2_000_000)
    (workspace.root / "outside.py").symlink_to(tmp_path / "secret")
    collect_code(workspace.root, tmp_path / "code", leave_out=(".backups",))
    found = [str(path.relative_to(tmp_path / "code")) for path in (tmp_path / "code").rglob("*") if path.is_file()]
    assert found == ["models/train.py"]


def test_a_script_tells_code_time_and_both_streams(tmp_path: Path) -> None:
    done = execute(
        [sys.executable, "-c", "import sys; print('out'); print('warning', file=sys.stderr); sys.exit(3)"], tmp_path, 20
    )
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "warning\n")
    assert "exit code 3" in done.told() and "out" in done.told() and "warning" in done.told()
    killed = execute([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path, 20)
    assert killed.code == -9 and "SIGKILL" in killed.told() and "printed nothing" in killed.told()


def test_time_limit_holds_against_scripts_that_ignore_signals_and_hide(tmp_path: Path) -> None:
    hidden = (
        f"import os, time; os.setsid(); open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(99)"
    )
    code = (
        "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"subprocess.Popen([sys.executable, '-c', {hidden!r}])\nprint('begun', flush=True)\ntime.sleep(99)"
    )
    driver = (  # in a process of its own, whose descendants are all to be ended
        "import sys; from pathlib import Path; from agentkit.processes import adopt_orphans; from agentkit.execution import execute\n"
        f"adopt_orphans(); done = execute([sys.executable, '-c', {code!r}], Path({str(tmp_path)!r}), 2)\n"
        "print(done.code, repr(done.stdout), done.told())"
    )
    folder = content_dir("environment") / "kit"
    started = time.monotonic()
    printed = subprocess.run(
        [sys.executable, "-c", driver], cwd=folder, capture_output=True, text=True, timeout=60
    ).stdout
    assert printed.startswith("None 'begun\\n'") and "longer than 2 seconds" in printed
    assert time.monotonic() - started < 15
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_script_sees_the_environment_that_it_is_given(tmp_path: Path) -> None:
    code = "import os; print(sorted(name for name in os.environ if name in ('A', 'HOME')))"
    done = execute([sys.executable, "-c", code], tmp_path, float("inf"), environment={"A": "1"})
    assert (done.code, done.stdout) == (0, "['A']\n")


def test_endless_output_is_bounded(tmp_path: Path) -> None:
    code = "import sys\nprint('first')\nfor _ in range(3000): sys.stdout.write('x' * 1000)\nprint('last')"
    done = execute([sys.executable, "-c", code], tmp_path, 20)
    assert done.code == 0 and done.stdout.startswith("first") and done.stdout.endswith("last\n")
    assert len(done.stdout) < 500_000 and "left out" in done.stdout


def test_long_files_are_read_in_parts() -> None:
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return f"[Observation]: found {len(asked)}"

    assert understand("short", "f", "all", ask) == "[Observation]: found 1"
    assert "found 5" in understand("y" * 90 + "\n" + ("x" * 99 + "\n") * 290, "f", "all", ask) and len(asked) == 5
    assert shortened("step", "z" * LONG, ask) == "z" * LONG
    assert shortened("step", "z" * (LONG + 1), ask) == "found 6"
    shortened("step", "z" * 10**6, ask)
    assert len(asked) < 20, "a million characters cost a bounded number of calls"


@given(st.text(alphabet="ab\n", max_size=200), st.integers(5, 50))
def test_parts_hold_every_line(text: str, size: int) -> None:
    parts = blocks_at_line_ends(text, size)
    assert all(len(part) <= size for part, _, _ in parts)
    assert "".join(part for part, _, _ in parts).replace("\n", "") == text.replace("\n", "")
    assert all(first <= last for _, first, last in parts) and size < BLOCK


def test_cut_keeps_both_ends() -> None:
    assert cut("short", 100) == "short"
    text = cut("a" * 5000 + "b" * 5000, 1000)
    assert text.startswith("a") and text.endswith("b") and len(text) < 1100


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    for name in ("submission", "code", "logs", "data"):
        (tmp_path / name).mkdir(exist_ok=True)
    environment = {f"{name.upper()}_DIR": str(tmp_path / name) for name in ("submission", "code", "logs", "data")}
    return Surroundings.read({**environment, "MODEL": "a/b"})


def test_what_a_failed_script_left_replaces_nothing(around: Surroundings, tmp_path: Path) -> None:
    submission = HandIn(around, tmp_path)
    script = tmp_path / "train.py"
    script.write_text("one")
    assert submission.look() == ""
    (tmp_path / "submission.csv").write_text("half")
    assert "was handed in" in submission.look(script, whole=False)
    (tmp_path / "submission.csv").write_text("whole")
    assert "was handed in" in submission.look(script) and submission.look(script) == ""
    (tmp_path / "submission.csv").write_text("hal")
    assert "not handed in" in submission.look(script, whole=False)
    assert around.submission.read_text() == "whole" and (around.code / "solution.py").read_text() == "one"


def test_actions_from_edit_to_submission(around: Surroundings, workspace: Workspace) -> None:
    code = "```python\nopen('submission.csv', 'w').write('id,y\\n1,1\\n')\nprint('done')\n```"
    actions = Actions(around, workspace, Clock(None), exec_timeout=20, fast=lambda p: "seen", edit=lambda p: code)
    edited = actions.carry_out(
        "Edit Script (AI)", {"script_name": "new/a.py", "edit_instruction": "write", "save_name": "new/a.py"}
    )
    assert "+print('done')" in edited
    ran = actions.carry_out("Execute Script", {"script_name": "new/a.py"})
    assert "done" in ran and "was handed in" in ran and around.submission.read_text() == "id,y\n1,1\n"
    assert (around.code / "new" / "a.py").read_text() == (around.code / "solution.py").read_text()
    assert "2 lines" not in actions.carry_out(
        "Inspect Script Lines", {"script_name": "new/a.py", "start_line_number": "x", "end_line_number": "2"}
    )
    refused = actions.carry_out("Copy File", {"source": "new/a.py", "destination": "../b.py"})
    assert refused.startswith("Error:") and "outside" in refused
    assert (
        actions.carry_out("Write File", {"file_name": "b.txt", "content": "hi"}) == "b.txt is written (2 characters)."
    )
    assert actions.carry_out("Append File", {"file_name": "b.txt", "content": "!"}) and workspace.read("b.txt") == "hi!"
    segment = {
        "script_name": "b.txt",
        "start_line_number": "1",
        "end_line_number": "1",
        "edit_instruction": "x",
        "save_name": "c.py",
    }
    assert "done" in actions.carry_out("Edit Script Segment (AI)", segment) and "done" in workspace.read("c.py")
    shown = [name for name, _, _ in actions.shown(("Write File",))]
    assert "Write File" in shown and "Read File" not in shown


def test_an_edit_without_code_changes_nothing(around: Surroundings, workspace: Workspace) -> None:
    workspace.write("a.py", "old")
    actions = Actions(around, workspace, Clock(None), exec_timeout=20, fast=str, edit=lambda p: "I would rather not.")
    arguments = {"script_name": "a.py", "edit_instruction": "x", "save_name": "a.py"}
    assert "no block" in actions.carry_out("Edit Script (AI)", arguments) and workspace.read("a.py") == "old"


@pytest.mark.parametrize("name", ["mlab-style", "mlab"])
def test_defaults_of_agent_toml_and_of_the_code_agree(name: str, around: Surroundings) -> None:
    from mlab_launcher.settings import Settings as LauncherSettings

    kind = Settings if name == "mlab-style" else LauncherSettings
    options = {f"OPTION_{key.upper()}": one.default for key, one in load_agent(name).facts.options.items()}
    assert kind.read(Surroundings.read({**around.environment, **options})) == kind.read(around)
    with pytest.raises(OptionError, match="max_retries"):
        kind.read(Surroundings.read({**around.environment, "OPTION_MAX_RETRIES": "0"}))
