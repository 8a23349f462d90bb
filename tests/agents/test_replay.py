"""The agent `replay`, and the inputs that it is given: parts of earlier attempts."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agents_kit import mlebench, need_engine, prepared_data

from mlebench.agents.agent import load_agent
from mlebench.agents.inputs import check_inputs, place_inputs, resolve_inputs, shown_options
from mlebench.content import content_dir
from mlebench.errors import SandboxError, UsageError

FOLDER = content_dir("agents") / "replay"
NAME = "practice-breast-cancer"
SOLUTION = """
import shutil
from helper import where
shutil.copyfile("input/sample_submission.csv", where)
print("solved")
"""


def earlier(runs: Path, run: str = "first", attempt: str = f"{NAME}-s0") -> Path:
    """An earlier run's attempt folder, as far as inputs look at it."""
    folder = runs / run / attempt
    (folder / "code").mkdir(parents=True)
    sqlite3.connect(runs / run / "run.sqlite").close()
    (folder / "code" / "solution.py").write_text(SOLUTION)
    (folder / "code" / "helper.py").write_text("where = 'working/submission.csv'\n")
    return folder


def replay(tmp_path: Path, sandbox: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = ["--runs-dir", str(tmp_path / "runs"), "--data-dir", str(prepared_data()), "--sandbox", sandbox]
    return mlebench("run", "--agent", "replay", "-c", NAME, *where, "--time-limit", "60s", *arguments)


@pytest.mark.docker
@pytest.mark.parametrize("sandbox", ["docker", "process"])
def test_an_earlier_solution_is_run_again(tmp_path: Path, sandbox: str) -> None:
    if sandbox == "docker":
        need_engine()
    earlier(tmp_path / "runs")
    done = replay(tmp_path, sandbox, "--option", "from=first", "--name", "again", "--json")
    assert done.returncode == 0, done.stderr
    (attempt,) = json.loads(done.stdout)["attempts"]
    assert (attempt["end"], attempt["grade"]["outcome"], attempt["claim"]["end"]) == ("finished", "graded", "finished")
    assert attempt["claim"]["message"] == "working/submission.csv is handed in."
    folder = tmp_path / "runs" / "again" / f"{NAME}-s0"
    assert (folder / "logs" / "solution.log").read_text() == "solved\n"
    assert sorted(path.name for path in (folder / "code").iterdir()) == ["helper.py", "solution.py"]
    # What was replayed can be replayed.
    again = replay(tmp_path, "process", "--option", f"from=again/{NAME}-s0", "--json")
    assert json.loads(again.stdout)["attempts"][0]["grade"]["outcome"] == "graded"


def test_what_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "runs")
    for arguments, words in (
        ([], "--option from=RUN[/ATTEMPT]"),
        (["--option", "from=nope"], "no run or attempt 'nope'"),
        (["--option", "from=first", "--seeds", "2"], f"no attempt {NAME}-s1"),
        (["--option", "from=first", "--option", "x=1"], "no option 'x'"),
    ):
        done = replay(tmp_path, "process", *arguments)
        assert done.returncode == 2 and words in done.stderr, done.stderr
    for path in (folder / "code").iterdir():
        path.unlink()
    done = replay(tmp_path, "process", "--option", "from=first")
    assert done.returncode == 2 and "left no code" in done.stderr
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["first"]


def test_inputs_are_copied_and_links_are_not_followed(tmp_path: Path) -> None:
    agent = load_agent("replay")
    folder = earlier(tmp_path / "runs")
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    (folder / "code" / "link").symlink_to(secret)
    (folder / "code" / "folder").symlink_to(tmp_path)
    (folder / "code" / "solution.py").chmod(0o600)
    options = resolve_inputs(agent, {"from": "first"}, tmp_path / "runs")
    assert options == {"from": str(tmp_path / "runs" / "first")}
    assert shown_options(agent, options) == {"from": "first", "script": "solution.py", "python": ""}
    control = tmp_path / "control"
    variables = place_inputs(agent, options, NAME, 0, control, Path("/run/mlebench"))
    assert variables == {"INPUT_CODE": "/run/mlebench/inputs/code"}
    placed = control / "inputs" / "code"
    assert (placed / "link").is_symlink() and (placed / "folder").is_symlink()
    assert (placed / "solution.py").stat().st_mode & 0o777 == 0o644 and secret.stat().st_mode & 0o777 != 0o755
    (folder / "code" / "helper.py").unlink()
    place_inputs(agent, options, NAME, 0, control, Path("/run/mlebench"))  # another try of the same attempt
    assert not (placed / "helper.py").exists()
    one = resolve_inputs(agent, {"from": str(folder)}, tmp_path / "elsewhere")
    check_inputs(agent, one, [(NAME, 0), (NAME, 7)])
    with pytest.raises(UsageError, match="not of practice-digits"):
        check_inputs(agent, one, [("practice-digits", 0)])
    (folder / "code").rename(folder / "gone")
    with pytest.raises(SandboxError, match="left no code"):
        place_inputs(agent, options, NAME, 0, control, Path("/run/mlebench"))


def start(tmp_path: Path, solution: str, **more: str) -> tuple[subprocess.Popen[str], Path]:
    """replay's start.py by itself."""
    source, outbox = tmp_path / "source", tmp_path / "outbox"
    for path in (source, tmp_path / "data", *(outbox / name for name in ("code", "logs", "submission"))):
        path.mkdir(parents=True)
    (source / "solution.py").write_text(solution)
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "DATA_DIR": str(tmp_path / "data"),
        "INPUT_CODE": str(source),
        "CODE_DIR": str(outbox / "code"),
        "LOGS_DIR": str(outbox / "logs"),
        "SUBMISSION_FILE": str(outbox / "submission" / "submission.csv"),
        "TIME_LIMIT_SECS": "60",
        "AGENT_KIT_DIR": str(content_dir("environment") / "kit"),
        **more,
    }
    return subprocess.Popen([sys.executable, str(FOLDER / "start.py")], env=environment, text=True), outbox


def claim(outbox: Path) -> dict[str, str]:
    return json.loads((outbox / "logs" / "outcome.json").read_text())


@pytest.mark.parametrize(
    ("solution", "end", "code", "message"),
    [
        ("open('submission.csv', 'w').write('a')", "finished", 0, "submission.csv is handed in."),
        ("import os; open(os.environ['SUBMISSION_FILE'], 'w').write('a')", "finished", 0, "it wrote"),
        ("open('submission.csv', 'w').write('a'); exit(3)", "finished", 0, "exit code 3; submission.csv"),
        ("raise ValueError('x')", "crashed", 1, "exit code 1 and wrote no submission"),
        ("pass", "crashed", 1, "it wrote no submission"),
    ],
)
def test_how_it_ends(tmp_path: Path, solution: str, end: str, code: int, message: str) -> None:
    process, outbox = start(tmp_path, solution)
    assert process.wait(30) == code
    assert claim(outbox)["end"] == end and message in claim(outbox)["message"]


def test_time_limit_and_sigterm_leave_what_was_written(tmp_path: Path) -> None:
    script = (
        "import subprocess, time\nopen('working/submission.csv', 'w').write('first')\n"
        "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\nprint(child.pid, flush=True)\ntime.sleep(300)\n"
    )
    for name, limit, early in (("slow", "4", False), ("term", "60", True)):
        process, outbox = start(tmp_path / name, script, TIME_LIMIT_SECS=limit)
        if early:
            deadline = time.monotonic() + 20
            log = outbox / "logs" / "solution.log"
            while not (log.exists() and log.read_text()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert claim(outbox)["end"] == "out_of_time"
        assert (outbox / "submission" / "submission.csv").read_text() == "first"
        child = int((outbox / "logs" / "solution.log").read_text())
        assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text()


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    process, outbox = start(tmp_path, "pass", OPTION_SCRIPT="best.py")
    assert process.wait(30) == 1 and "left no best.py; its code folder holds solution.py" in claim(outbox)["message"]
