"""The endpoint as a client sees it, and what its process can no longer do."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from toys import CANARY, SAMPLE, Toy, on_linux

from mlebench.content import content_dir
from mlebench.sandbox.processes import start_mark
from mlebench.validation import landlock
from mlebench.validation.launcher import ValidationService

needs_landlock = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")


@pytest.fixture
def service(toy: Toy, tmp_path: Path) -> Any:
    with ValidationService(
        toy.competition, toy.sample, tmp_path / "calls.jsonl", answers=toy.private, max_bytes=100_000, seconds=30
    ) as running:
        yield running


def ask(
    service: ValidationService,
    body: bytes | None = None,
    path: str = "/validate",
    method: str = "POST",
    **headers: str,
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_answers_and_notes(service: ValidationService) -> None:
    assert ask(service, SAMPLE.encode()) == (200, "Submission is valid.\n")
    status, text = ask(service, b"id,y\n1,0.5\n2,0.5\n")
    assert status == 200 and text.startswith("Submission is invalid: ") and text.count("\n") == 1
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="s.csv"\r\n\r\n'
        + SAMPLE.encode()
        + b"\r\n--b--\r\n"
    )
    status, text = ask(service, form, Content_Type="multipart/form-data; boundary=b", Accept="application/json")
    assert status == 200 and json.loads(text)["valid"] is True
    status, text = ask(service, b"id,y\n1,0.5\n2,0.5\n3,7\n", Accept="application/json")
    assert (json.loads(text)["valid"], json.loads(text)["reason"]) == (False, "out_of_range")
    notes = service.entries()
    assert [note["valid"] for note in notes] == [True, False, True, False] and service.calls == 4
    assert [note["reason"] for note in notes] == [None, "row_count", None, "out_of_range"]
    assert notes[0]["sha256"] == notes[2]["sha256"] and notes[0]["bytes"] == len(SAMPLE)
    assert set(notes[0]) == {"time", "valid", "reason", "sha256", "bytes"}


def test_no_score_and_no_answers(service: ValidationService) -> None:
    perfect, wrong = b"id,y\n1,1\n2,0\n3,1\n", b"id,y\n1,0\n2,1\n3,0\n"
    assert ask(service, perfect) == ask(service, wrong) == (200, "Submission is valid.\n")


def test_odd_requests(service: ValidationService, toy: Toy) -> None:
    assert ask(service, path="/", method="GET")[0] == 404
    assert ask(service, SAMPLE.encode(), path="/validate/../health")[0] == 404
    assert ask(service, SAMPLE.encode(), path=str(toy.private / "test.csv"))[0] == 404
    assert ask(service, b"", Content_Type="multipart/form-data; boundary=b")[0] == 400
    assert ask(service, b"")[1].startswith("Submission is invalid")
    assert ask(service, os.urandom(5000))[1].startswith("Submission is invalid")
    assert service.entries()[-1]["valid"] is False
    assert service.running and ask(service, SAMPLE.encode())[0] == 200


def test_too_large_is_refused_before_it_is_read(service: ValidationService) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")
    assert service.entries()[-1]["reason"] == "too_large"


def test_several_at_once(service: ValidationService) -> None:
    answers: list[tuple[int, str]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(service, SAMPLE.encode()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, "Submission is valid.\n")] * 4 and service.calls == 4


def test_a_check_that_takes_too_long_or_too_much(toy: Toy, tmp_path: Path) -> None:
    (toy.competition.folder / "grade.py").write_text(
        "import time\n\n\ndef check(submission):\n    if submission['y'][0] == 1:\n        time.sleep(60)\n"
        "    if submission['y'][0] == 0:\n        bytearray(4 << 30)\n"
    )
    with ValidationService(toy.competition, toy.sample, tmp_path / "calls.jsonl", seconds=4, memory_gb=1) as service:
        begin = time.monotonic()
        assert ask(service, b"id,y\n1,1\n2,1\n3,1\n")[0] == 503
        assert time.monotonic() - begin < 10
        assert ask(service, b"id,y\n1,0\n2,1\n3,1\n")[0] == 500
        assert ask(service, SAMPLE.encode())[1] == "Submission is valid.\n"
        assert [note["valid"] for note in service.entries()] == [None, None, True]


@needs_landlock
def test_the_answers_are_out_of_reach(toy: Toy, tmp_path: Path) -> None:
    """Even code that runs inside the checking process cannot read them, nor anything around the competition."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(CANARY)
    (toy.competition.folder / "grade.py").write_text(
        "import os, socket\nfrom pathlib import Path\nfrom mlebench.errors import InvalidSubmissionError, Reason\n\n"
        "def check(submission):\n    got = []\n"
        f"    for path in [{str(toy.private / 'test.csv')!r}, {str(elsewhere)!r}, '/etc/shadow', '/proc/1/environ',\n"
        f"                 {f'/proc/{os.getpid()}/environ'!r}, {f'/proc/{os.getpid()}/root' + str(elsewhere)!r}]:\n"
        "        try:\n            Path(path).read_bytes(); got.append(path)\n        except OSError:\n            pass\n"
        f"    for path in [{str(toy.private)!r}, {str(tmp_path)!r}, '/', '/home']:\n"
        "        try:\n            os.listdir(path); got.append(path)\n        except OSError:\n            pass\n"
        f"    for path in [{str(tmp_path / 'new')!r}, {str(toy.competition.folder / 'new')!r}]:\n"
        "        try:\n            Path(path).write_text('x'); got.append(path)\n        except OSError:\n            pass\n"
        "    try:\n        socket.create_connection(('127.0.0.1', 9), timeout=1)\n"
        "    except PermissionError:\n        pass\n    except OSError as problem:\n        got.append(str(problem))\n"
        "    raise InvalidSubmissionError(Reason.BAD_FORMAT, f'got {got}')\n"
    )
    with ValidationService(
        toy.competition, toy.sample, tmp_path / "calls.jsonl", answers=toy.private, port=0
    ) as service:
        assert "landlock" in service.protection
        assert json.loads(ask(service, path="/health", method="GET")[1]) == {
            "status": "running",
            "protection": service.protection,
        }
        text = ask(service, SAMPLE.encode())[1]
    allowed = ["got []"] if landlock.abi() >= 4 else ["got []", "refused"]
    assert any(words in text for words in allowed), text


def test_what_can_be_read_counts_as_no_protection(toy: Toy, tmp_path: Path) -> None:
    with ValidationService(
        toy.competition, toy.sample, tmp_path / "calls.jsonl", answers=toy.competition.folder
    ) as service:
        assert service.protection == "none"


def test_a_socket_in_a_deep_folder_and_a_restart(toy: Toy, tmp_path: Path) -> None:
    path = tmp_path / ("d" * 100) / "sockets" / "validate.sock"
    path.parent.mkdir(parents=True)
    service = ValidationService(toy.competition, toy.sample, tmp_path / "calls.jsonl", socket=path)
    for _ in range(2):
        service.start()
        assert path.stat().st_mode & 0o777 == 0o666
        client = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(path.parent)
        try:
            client.connect(path.name)
        finally:
            os.chdir(here)
        client.sendall(
            b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(SAMPLE) + SAMPLE.encode()
        )
        answer = b""
        while chunk := client.recv(1000):
            answer += chunk
        assert answer.endswith(b"Submission is valid.\n")
        client.close()
        service._process.kill()
    assert service.calls == 2
    service.stop()
    assert not path.exists()


def test_a_port_stays_the_same(service: ValidationService) -> None:
    port = service.port
    assert port > 0 and service.url == f"http://127.0.0.1:{port}/validate"
    service._process.kill()
    assert not service.running
    service.start()
    assert service.port == port and ask(service, SAMPLE.encode())[0] == 200


@pytest.mark.skipif(not on_linux, reason="looks into /proc")
def test_it_dies_with_its_runner(toy: Toy, tmp_path: Path) -> None:
    script = (
        "import os, sys, threading; from pathlib import Path; from mlebench.competition import load_competition\n"
        "from mlebench.validation.launcher import ValidationService\n"
        f"s = ValidationService(load_competition(Path({str(toy.competition.folder)!r})), Path({str(toy.sample)!r}),"
        f" Path({str(tmp_path / 'calls.jsonl')!r}))\n"
        "t = threading.Thread(target=s.start); t.start(); t.join()\n"  # the thread that started it may end
        "print(s._process.pid, s.running, flush=True); sys.stdin.read()"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert runner.stdout is not None and runner.stdin is not None
    pid, running = runner.stdout.readline().split()
    assert running == b"True"
    time.sleep(0.3)
    assert start_mark(int(pid)) is not None
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    deadline = time.monotonic() + 5
    while start_mark(int(pid)) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    runner.stdin.close()
    runner.stdout.close()


@pytest.mark.parametrize("curl", [True, False])
def test_the_script_that_agents_use(service: ValidationService, tmp_path: Path, curl: bool) -> None:
    script = content_dir("environment") / "validate_submission.sh"
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ["sh", "cat", "wc", "tr", "python3", *(["curl"] if curl else [])]:
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True).stdout.strip()
        if not found:
            pytest.skip(f"no {name} on this machine")
        (tools / name).symlink_to(found if name != "python3" else sys.executable)

    def check(content: str | None, url: str = service.url) -> tuple[int, str]:
        path = tmp_path / "my submission.csv"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(content)
        done = subprocess.run(
            ["sh", str(script), str(path)],
            env={"PATH": str(tools), "VALIDATE_URL": url},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout

    assert check(SAMPLE) == (0, "Submission is valid.\n")
    assert check("id,y\n")[0] == 1
    assert check("id,z\n1,2\n")[1].startswith("Submission is invalid")
    assert check(None)[0] == 1
    assert check(SAMPLE, "http://127.0.0.1:9/validate") == (2, "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root has another user id to take")
def test_root_takes_another_user_id_where_python_allows(toy: Toy) -> None:
    # Python itself may lie where only root can come, so its folders are left out of the question here.
    script = (
        "import os, sys, tempfile; from pathlib import Path; from mlebench.validation import confine, landlock\n"
        "confine._python = lambda: []; landlock.restrict = lambda *_: False\n"
        "print(confine.confine([], Path(tempfile.mkdtemp()), Path(sys.argv[1])), os.getuid(), os.getgroups())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(toy.private)], capture_output=True, text=True)
    assert done.stdout == "uid 10002 []\n", done.stderr
