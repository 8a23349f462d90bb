"""contract.py, processes.py: time, signals, folders and processes as the scaffolds' drivers see them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agentkit import contract
from agentkit.contract import Clock, OptionError, Surroundings

KIT = Path(contract.__file__).parents[1]


def run(body: str, *, stop_after: float | None = None) -> tuple[int, list[str], float]:
    """A script with the module, in a process of its own: it handles signals."""
    started = time.monotonic()
    command = [
        sys.executable,
        "-u",
        "-c",
        "from agentkit.contract import *\nfrom agentkit.processes import *\nimport time, os, subprocess, sys\n" + body,
    ]
    process = subprocess.Popen(command, cwd=KIT, stdout=subprocess.PIPE, text=True)
    if stop_after is not None:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(stop_after)
        process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=30)
    return process.returncode, printed.splitlines(), time.monotonic() - started


def test_surroundings_are_read_once() -> None:
    around = Surroundings.read(
        {
            "DATA_DIR": "/d",
            "SUBMISSION_DIR": "/s",
            "TIME_LIMIT_SECS": "3600",
            "STEP_LIMIT": "",
            "MODEL": "openai/a",
            "MODEL_FEEDBACK": "openai/b",
            "OPTION_NUM_DRAFTS": "3",
            "OPTION_CODE_TEMPERATURE": "none",
        }
    )
    assert (around.data, around.submission) == (Path("/d"), Path("/s/submission.csv"))
    assert (around.time_limit, around.step_limit, around.seed) == (3600.0, None, 0)
    assert (around.model("code"), around.model("feedback")) == ("openai/a", "openai/b")
    assert around.number("num_drafts", 5) == 3 and around.number("num-drafts", 5) == 3
    assert around.temperature("code_temperature", 0.5) is None


@pytest.mark.parametrize(
    "given",
    [{"OPTION_X": "many"}, {"OPTION_X": "nan"}, {"OPTION_X": "-1"}, {"OPTION_X": "11"}],
)
def test_options_that_cannot_be_used_are_told(given: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="x"):
        Surroundings.read(given).number("x", 1, high=10)


def test_without_a_model_the_user_is_told_how_to_name_one() -> None:
    with pytest.raises(OptionError, match="--model PROVIDER/NAME"):
        Surroundings.read({}).model("code")


@pytest.mark.parametrize(("limit", "margin"), [(10, 2.5), (60, 5), (600, 12), (86400, 60)])
def test_clock_keeps_a_margin_for_saving(limit: float, margin: float) -> None:
    assert Clock(limit, age=0).margin == pytest.approx(margin)
    assert Clock(limit, age=0).left() == pytest.approx(limit - margin, abs=0.5)
    assert Clock(limit, age=2 * limit).left() == 0
    assert Clock(None, age=0).left() == float("inf")


def test_the_end_of_the_time_interrupts_whatever_goes_on() -> None:
    code, printed, seconds = run(
        "watch = Watch(Clock(2, age=0)); watch.start()\n"
        "try:\n"
        "    try:\n"
        "        while True:\n"
        "            try: time.sleep(60)\n"
        "            except Exception: pass\n"
        "    finally: print('cleaned')\n"
        "except Ended as e: print(e.end)\n"
    )
    assert (code, printed) == (0, ["cleaned", "out_of_time"]) and 1 < seconds < 10


def test_sigterm_ends_once_and_not_in_a_protected_part() -> None:
    code, printed, _ = run(
        "watch = Watch(Clock(None)); watch.start(); print('ready')\n"
        "try:\n"
        "    with watch.held():\n"
        "        t = time.monotonic()\n"
        "        while time.monotonic() < t + 1: time.sleep(0.1)\n"
        "        print('whole')\n"
        "    print('not reached')\n"
        "except Ended as e:\n"
        "    os.kill(os.getpid(), 15)\n"
        "    print('saved', e)\n",
        stop_after=0.2,
    )
    assert (code, printed) == (0, ["whole", "saved It was asked to end (SIGTERM)."])


def test_a_part_has_a_limit_of_its_own() -> None:
    _, printed, seconds = run(
        "watch = Watch(Clock(60, age=0)); watch.start()\n"
        "try:\n"
        "    with watch.part(0.5): time.sleep(30)\n"
        "except Stuck: print('stuck')\n"
        "with watch.part(5): print('quick')\n"
        "time.sleep(0.7); print('goes on')\n"
    )
    assert printed == ["stuck", "quick", "goes on"] and seconds < 10


def test_no_descendant_survives_however_it_detached_itself() -> None:
    detached = "import os,time; os.setsid(); os.fork() and os._exit(0); print(os.getpid(), flush=True); time.sleep(600)"
    code, printed, _ = run(
        "import signal\nadopt_orphans()\n"
        f"one = subprocess.Popen([sys.executable, '-c', {detached!r}], stdout=subprocess.PIPE, text=True)\n"
        "pid = int(one.stdout.readline()); one.wait()\n"
        "print(pid); print(pid in descendants(os.getpid()))\n"
        "print(end_descendants() >= 1); print(descendants(os.getpid()))\n"
    )
    assert code == 0 and printed[1:] == ["True", "True", "[]"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(printed[0]), 0)


def test_outcome_is_what_the_runner_reads(tmp_path: Path) -> None:
    from mlebench.running.records import AgentClaim

    contract.write_outcome(tmp_path, "out_of_time", "x" * 900, 7)
    claim = AgentClaim.model_validate_json((tmp_path / "outcome.json").read_text())
    assert (claim.end, claim.steps, len(claim.message or "")) == ("out_of_time", 7, 500)


def test_only_whole_regular_files_are_copied(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_text("a,b\n")
    assert not contract.copy_atomically(tmp_path / "fifo", tmp_path / "target")
    assert not contract.copy_atomically(tmp_path / "missing", tmp_path / "target")
    assert contract.copy_atomically(tmp_path / "file", tmp_path / "target")
    assert not contract.copy_atomically(tmp_path / "file", tmp_path / "no" / "target")
    assert sorted(os.listdir(tmp_path)) == ["fifo", "file", "target"]


def test_a_log_line_is_json(tmp_path: Path) -> None:
    contract.append_line(tmp_path / "log", {"path": Path("/x"), "n": 1})
    contract.append_line(tmp_path / "no" / "log", {"lost": True})
    assert json.loads((tmp_path / "log").read_text()) == {"path": "/x", "n": 1}
