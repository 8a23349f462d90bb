"""The process sandbox: what an agent gets, and that nothing of it is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from toys import SAMPLE, Attempt, Toy, on_linux

from mlebench.content import content_dir
from mlebench.errors import SandboxError, UsageError
from mlebench.sandbox import get_sandbox
from mlebench.sandbox.base import Resources
from mlebench.sandbox.process import ProcessSandbox
from mlebench.sandbox.processes import start_mark
from mlebench.validation.launcher import ValidationService

Make = Callable[..., Attempt]
sandbox = ProcessSandbox()


def gone(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while start_mark(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-c", (
            "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "open(%r, 'w').write(str(os.getpid())); time.sleep(600)" % (os.environ["LOGS_DIR"] + "/daemon"))], {})
    os._exit(0)
while not os.path.exists(os.environ["LOGS_DIR"] + "/daemon"): time.sleep(0.02)
"""


def test_the_environment_holds_no_keys(as_process: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    attempt = as_process("import json, os; print(json.dumps(dict(os.environ) | {'cwd': os.getcwd()}))")
    assert attempt.run(sandbox).code == 0
    seen = json.loads(attempt.printed(sandbox))
    assert "secret" not in json.dumps(seen)
    assert set(seen) - {"cwd", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == {
        *("PATH", "HOME", "TMPDIR", "LANG", "DATA_DIR", "SUBMISSION_DIR", "SUBMISSION_FILE", "CODE_DIR", "LOGS_DIR"),
        *(
            "AGENT_DIR",
            "AGENT_KIT_DIR",
            "INSTRUCTIONS_FILE",
            "VALIDATE_SCRIPT",
            "COMPETITION_ID",
            "TIME_LIMIT_SECS",
            "SEED",
        ),
        *("MLEBENCH_ATTEMPT_MARK", "MLEBENCH_ATTEMPT_NAME"),
    }
    assert seen["PATH"].startswith(str(Path(sys.executable).parent))
    assert seen["cwd"] == seen["AGENT_DIR"] != str(attempt.agent)
    assert str(attempt.outbox / "submission" / "submission.csv") in Path(seen["INSTRUCTIONS_FILE"]).read_text()


def test_exit_codes(as_process: Make) -> None:
    assert as_process("raise SystemExit(7)").run(sandbox).code == 7
    assert as_process("import os; os.kill(os.getpid(), 9)").run(sandbox).code == 137
    attempt = as_process("", command=("no-such-program",))
    assert attempt.run(sandbox).code == 127
    assert "no-such-program" in attempt.printed(sandbox)


def test_daemons_end_with_the_agent(as_process: Make) -> None:
    attempt = as_process(_DAEMON)
    assert attempt.run(sandbox).code == 0
    daemon = int(attempt.until("logs/daemon"))
    if on_linux:  # elsewhere a daemon that left the process group cannot be traced
        assert gone(daemon, 0.1)
    else:
        os.kill(daemon, signal.SIGKILL)


@pytest.mark.skipif(not on_linux, reason="daemons can be traced on Linux only")
def test_stop_kills_what_ignores_sigterm(as_process: Make) -> None:
    attempt = as_process(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)" + _DAEMON + "time.sleep(600)"
    )
    attempt.start(sandbox)
    daemon = int(attempt.until("logs/daemon"))
    begin = time.monotonic()
    sandbox.stop(attempt.handle, 0.5)
    assert 0.5 <= time.monotonic() - begin < 8
    assert gone(daemon, 0.1) and not sandbox.alive(attempt.handle)
    ended = sandbox.wait(attempt.handle, 1)
    assert ended is not None and ended.code == 137


def test_sigterm_reaches_the_agent(as_process: Make) -> None:
    attempt = as_process(
        "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "open(os.environ['LOGS_DIR'] + '/ready', 'w').write('1')\ntime.sleep(600)"
    )
    attempt.start(sandbox)
    attempt.until("logs/ready")
    assert sandbox.wait(attempt.handle, 0.05) is None
    sandbox.stop(attempt.handle, 20)
    ended = sandbox.wait(attempt.handle, 1)
    assert ended is not None and ended.code == 3


def test_another_runner_adopts_it(as_process: Make) -> None:
    attempt = as_process("import time; time.sleep(1); raise SystemExit(5)")
    attempt.start(ProcessSandbox())
    later = ProcessSandbox()
    assert later.alive(attempt.handle)
    ended = later.wait(attempt.handle, 20)
    assert ended is not None and ended.code == 5


def test_it_outlives_a_killed_runner(as_process: Make) -> None:
    attempt = as_process("import time; time.sleep(1.5); raise SystemExit(6)")
    runner = (
        "import sys, pickle, os; from mlebench.sandbox.process import ProcessSandbox;"
        "print(ProcessSandbox().start(pickle.load(sys.stdin.buffer)), flush=True); os.kill(os.getpid(), 9)"
    )
    import pickle

    done = subprocess.run([sys.executable, "-c", runner], input=pickle.dumps(attempt.spec), capture_output=True)
    assert done.returncode == -9
    attempt.handle = done.stdout.decode().strip()
    assert sandbox.alive(attempt.handle)
    ended = sandbox.wait(attempt.handle, 20)
    assert ended is not None and ended.code == 6


@pytest.mark.skipif(not on_linux, reason="needs /proc")
def test_a_killed_supervisor_leaves_nothing(as_process: Make) -> None:
    attempt = as_process(
        "import os, time; open(os.environ['LOGS_DIR'] + '/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    )
    attempt.start(sandbox)
    agent = int(attempt.until("logs/pid"))
    os.kill(json.loads(attempt.handle)["pid"], signal.SIGKILL)
    ended = sandbox.wait(attempt.handle, 10)
    assert ended is not None and ended.code is None
    assert gone(agent)


@pytest.mark.skipif(not on_linux, reason="needs /proc")
def test_removed_by_name(as_process: Make) -> None:
    attempt = as_process(_DAEMON + "time.sleep(600)")
    attempt.start(sandbox)
    daemon = int(attempt.until("logs/daemon"))
    sandbox.remove_named(attempt.name + "-another")
    assert sandbox.alive(attempt.handle)
    sandbox.remove_named(attempt.name)
    assert gone(daemon) and not sandbox.alive(attempt.handle)


def test_a_pid_of_somebody_else_is_left_alone(as_process: Make) -> None:
    attempt = as_process("")
    attempt.run(sandbox)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stolen = json.dumps(json.loads(attempt.handle) | {"pid": other.pid})
        assert not sandbox.alive(stolen)
        sandbox.stop(stolen, 0)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_after_a_reboot_it_is_lost(as_process: Make) -> None:
    attempt = as_process("import time; time.sleep(60)")
    attempt.start(sandbox)
    sandbox.stop(attempt.handle, 0)
    (attempt.home / "process" / "exit.json").unlink()
    with pytest.raises(SandboxError, match="restarted"):
        sandbox.wait(json.dumps(json.loads(attempt.handle) | {"boot": "another"}), 1)


@pytest.mark.skipif(not on_linux, reason="RLIMIT_DATA covers mappings on Linux only")
def test_memory_and_file_size_are_limited(as_process: Make) -> None:
    attempt = as_process(
        "try:\n    bytearray(1 << 30)\nexcept MemoryError: print('no memory')\n"
        "import os\ntry:\n    f = open(os.environ['CODE_DIR'] + '/big', 'wb'); f.truncate(1 << 30)\n"
        "except OSError as problem: print(problem.strerror)",
        resources=Resources(memory_gb=0.3, disk_gb=0.1),
    )
    attempt.run(sandbox)
    assert "no memory" in attempt.printed(sandbox) and "File too large" in attempt.printed(sandbox)


def test_logs_are_bounded_and_remove_is_final(as_process: Make) -> None:
    attempt = as_process("print('x' * 100_000)")
    attempt.run(sandbox)
    assert len(attempt.printed(sandbox, 1000)) < 1100
    sandbox.remove(attempt.handle)
    sandbox.remove(attempt.handle)
    assert not (attempt.home / "process").exists() and (attempt.outbox / "submission").is_dir()


def test_the_agents_own_folder_stays_as_it_is(as_process: Make) -> None:
    attempt = as_process("open('agent.py', 'w').write('changed')")
    attempt.run(sandbox)
    assert (attempt.agent / "agent.py").read_text() != "changed"


def test_the_dummy_agent_hands_in_and_asks(as_process: Make, toy: Toy) -> None:
    attempt = as_process("", command=("python3", "start.py"))
    attempt.agent = content_dir("agents") / "dummy"
    with ValidationService(toy.competition, toy.sample, attempt.home / "calls.jsonl") as service:
        attempt.environment = {"VALIDATE_URL": service.url, "SAMPLE_SUBMISSION": str(toy.sample)}
        assert attempt.run(sandbox).code == 0, attempt.printed(sandbox)
        assert "Submission is valid." in attempt.printed(sandbox)
        assert service.calls == 1
    assert (attempt.outbox / "submission" / "submission.csv").read_text() == SAMPLE


def test_sandboxes_by_name() -> None:
    assert get_sandbox("process").name == "process" and not get_sandbox("process").isolates
    assert get_sandbox("docker").isolates
    with pytest.raises(UsageError, match="docker or process"):
        get_sandbox("vm")
    with pytest.raises(SandboxError, match="no handle"):
        sandbox.alive("nonsense")
