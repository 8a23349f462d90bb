"""The proxy as a process: its life, its user, its environment; and through a real container."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlebench.chain import read_events, verify_chain
from mlebench.egress.launcher import EgressProxy
from mlebench.errors import SandboxError


def get(proxy: EgressProxy, url: str, path: Path | None = None) -> bytes:
    client = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    with client:
        client.settimeout(20)
        client.connect(str(path) if path else ("127.0.0.1", proxy.port))
        client.sendall(f"GET {url} HTTP/1.1\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return answer


def test_it_serves_a_socket_and_leaves_nothing(tmp_path: Path, origin: int) -> None:
    path = tmp_path / "sockets" / "egress.sock"
    proxy = EgressProxy([f"127.0.0.1:{origin}"], tmp_path / "egress.jsonl", path)
    with proxy:
        assert proxy.running and path.stat().st_mode & 0o666 == 0o666
        assert get(proxy, f"http://127.0.0.1:{origin}/a", path).endswith(b"you asked for /a")
        assert b"not on this run's list" in get(proxy, "http://example.org/", path)
        assert proxy.totals().requests == 1 and proxy.totals().refused == 1
    assert not proxy.running and not path.exists()
    assert [line["event"] for line in read_events(tmp_path / "egress.jsonl")][-1] == "egress_stopped"


def test_its_environment_holds_no_key_and_its_user_owns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with EgressProxy(["example.org"], tmp_path / "egress.jsonl") as proxy:
        folder = Path(f"/proc/{proxy._process.pid}")
        if folder.exists():
            assert b"sk-secret" not in (folder / "environ").read_bytes()
            uid = (folder / "status").read_text().split("Uid:\t")[1].split()[0]
            assert uid == ("10003" if os.getuid() == 0 else str(os.getuid()))


def test_killed_and_started_again_it_goes_on_with_its_log(tmp_path: Path, origin: int) -> None:
    log = tmp_path / "egress.jsonl"
    proxy = EgressProxy([f"127.0.0.1:{origin}"], log)
    proxy.start()
    port = proxy.port
    get(proxy, f"http://127.0.0.1:{origin}/a")
    proxy._process.kill()
    with log.open("ab") as file:
        file.write(b'{"seq": 99, "torn')
    assert not proxy.running
    proxy.start()
    assert proxy.port == port
    get(proxy, f"http://127.0.0.1:{origin}/b")
    proxy.stop()
    assert verify_chain(log).holds and proxy.totals().requests == 2


def test_a_log_that_was_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    log = tmp_path / "egress.jsonl"
    EgressProxy(["a.test"], log).__enter__().stop()
    log.write_bytes(log.read_bytes().replace(b"a.test", b"b.test"))
    with pytest.raises(SandboxError, match="did not start"):
        EgressProxy(["a.test"], log).start()
    assert "was changed" in (tmp_path / "egress.stderr.log").read_text()


def test_it_ends_with_its_runner(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom mlebench.egress.launcher import EgressProxy\n"
        f"proxy = EgressProxy(['a.test'], Path({str(tmp_path / 'e.jsonl')!r}))\nproxy.start()\n"
        "print(proxy._process.pid, flush=True)\nsys.stdin.read()\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert runner.stdout is not None and runner.stdin is not None
    pid = int(runner.stdout.readline())
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdin.close()
    runner.stdout.close()
    deadline = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_settings_are_plain(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="did not start"):
        EgressProxy(["a.test:x"], tmp_path / "e.jsonl").start()
    assert json.loads((tmp_path / "e.jsonl").read_text().splitlines()[0])["hosts"] == ["a.test:x"]
