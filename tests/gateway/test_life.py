"""The gateway's process: it dies, comes back with its doors, and ends with its runner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from gateway_world import KEY, PATIENCE, RULES, Attempt, closed_port

from mlebench.chain import verify_chain
from mlebench.errors import GatewayError, UsageError
from mlebench.gateway.api import Ticket, Usage
from mlebench.gateway.launcher import Gateway


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    import json

    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "demo.json").write_text(json.dumps({"rules": RULES}))
    return tmp_path / "scripts"


@pytest.fixture
def gateway(tmp_path: Path, scripts: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "run", scripts=scripts, limits=PATIENCE) as one:
        yield one


def admitted(gateway: Gateway, ticket: Ticket) -> Attempt:
    return Attempt(gateway, ticket, f"http://127.0.0.1:{gateway.admit(ticket).port}")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def wait_for(condition: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_gateway_comes_back_with_every_door(gateway: Gateway, tmp_path: Path) -> None:
    one = admitted(gateway, Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo"))
    (tmp_path / "sockets").mkdir()
    path = tmp_path / "sockets" / "gateway.sock"
    gateway.admit(Ticket("two", KEY, tmp_path / "two.jsonl", "scripted/demo", socket=path))
    assert one.chat("AGAIN", "scripted/demo").json()["choices"][0]["message"]["content"] == "one"
    before = one.usage_when(lambda usage: usage.calls == 1)
    pid = gateway.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not gateway.running)
    with pytest.raises(requests.ConnectionError):
        one.chat("AGAIN", "scripted/demo")
    assert gateway.usage("one") == before
    with (tmp_path / "one.jsonl").open("ab") as file:
        file.write(b'{"seq": 9, "half a li')
    gateway.keep_up()
    assert gateway.running and gateway.pid != pid
    gateway.keep_up()
    assert gateway.usage("one").model_dump(exclude={"head"}) == before.model_dump(exclude={"head"})
    # At the same port, and the scripted model goes on where it was.
    assert one.chat("AGAIN", "scripted/demo").json()["choices"][0]["message"]["content"] == "two"
    assert path.is_socket() and gateway.dismiss("two") == gateway.usage("two")
    final = gateway.dismiss("one")
    assert final.calls == 2 and verify_chain(tmp_path / "one.jsonl", final.head).holds
    with pytest.raises(GatewayError, match="no attempt"):
        gateway.usage("three")


def test_a_call_that_was_lost_with_the_gateway_is_counted(gateway: Gateway, tmp_path: Path) -> None:
    one = admitted(gateway, Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo"))
    answer = one.chat("VERY SLOW STREAM", "scripted/demo", stream=True)
    wait_for(lambda: b'"begun"' in (tmp_path / "one.jsonl").read_bytes())
    assert gateway.pid is not None
    os.kill(gateway.pid, signal.SIGKILL)
    wait_for(lambda: not gateway.running)
    answer.close()
    gateway.keep_up()
    usage = gateway.usage("one")
    assert (usage.calls, usage.errors, usage.unmetered) == (1, 1, 1) and usage.tokens_in > 0
    assert one.lines()[0]["outcome"] == "lost"


def test_the_scripted_child_is_brought_back(gateway: Gateway, tmp_path: Path) -> None:
    one = admitted(gateway, Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo"))
    children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()
    (child,) = [int(number) for number in children]
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: one.chat("STATED", "scripted/demo").status_code == 200)
    gateway.stop()
    assert not alive(child)


def test_it_ends_with_its_runner(tmp_path: Path, scripts: Path) -> None:
    code = f"""
import os, time
from pathlib import Path
from mlebench.gateway.api import Ticket
from mlebench.gateway.launcher import Gateway
folder = Path({str(tmp_path)!r})
gateway = Gateway(folder / "run", scripts=folder / "scripts")
gateway.start()
door = gateway.admit(Ticket("one", {KEY!r}, folder / "one.jsonl", "scripted/demo"))
print(gateway.pid, door.port, flush=True)
time.sleep(60)
"""
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    pid, port = map(int, runner.stdout.readline().split())
    body = {"model": "demo", "messages": [{"role": "user", "content": "LONG"}], "stream": True}
    url, headers = f"http://127.0.0.1:{port}/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}
    answer = requests.post(url, json=body, headers=headers, stream=True, timeout=10)
    pieces = answer.iter_content(None)
    assert b"word" in b"".join([next(pieces) for _ in range(4)])
    runner.kill()
    runner.wait()
    runner.stdout.close()
    wait_for(lambda: not alive(pid))
    with pytest.raises(requests.RequestException):
        list(pieces)
    # The call that was cut is in the log, and a resumed runner goes on from there at the same port.
    assert verify_chain(tmp_path / "one.jsonl").holds
    with Gateway(tmp_path / "run", scripts=scripts) as gateway:
        ticket = Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo", port=port)
        assert gateway.admit(ticket).port == port
        usage = gateway.usage("one")
        assert (usage.calls, usage.errors, usage.unmetered) == (1, 1, 1) and usage.tokens_out > 0


def test_ctrl_c_leaves_it_to_the_runner(gateway: Gateway, tmp_path: Path) -> None:
    assert gateway.pid is not None
    os.kill(gateway.pid, signal.SIGINT)
    one = admitted(gateway, Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo"))
    assert one.chat("STATED", "scripted/demo").status_code == 200


def test_what_cannot_be_is_said_in_one_sentence(gateway: Gateway, tmp_path: Path) -> None:
    one = admitted(gateway, Ticket("one", KEY, tmp_path / "one.jsonl", "scripted/demo"))
    port = int(one.url.rsplit(":", 1)[1])
    with pytest.raises(GatewayError, match="cannot serve the attempt"):
        gateway.admit(Ticket("two", KEY, tmp_path / "two.jsonl", "scripted/demo", port=port))
    with pytest.raises(GatewayError, match="cannot serve the attempt"):
        gateway.admit(replace(one.ticket, attempt="three", log=tmp_path / "missing" / "x.jsonl"))
    with pytest.raises(GatewayError, match="no provider 'nobody'"):
        gateway.admit(replace(one.ticket, attempt="three", model="nobody/x"))
    with pytest.raises(GatewayError, match="no attempt"):
        gateway.dismiss("four")
    assert one.chat("STATED", "scripted/demo").status_code == 200
    with Gateway(tmp_path / "other") as without, pytest.raises(GatewayError, match="this run has none"):
        without.admit(Ticket("one", KEY, tmp_path / "other.jsonl", "scripted/demo"))
    with pytest.raises(GatewayError, match="not running"):
        Gateway(tmp_path / "never").admit(one.ticket)
    (tmp_path / "bad.toml").write_text("x = 1")
    with pytest.raises(UsageError, match=r"bad\.toml"):
        Gateway(tmp_path / "bad", providers=tmp_path / "bad.toml").start()
    with pytest.raises(GatewayError, match=r"bad\.toml"):
        Gateway(tmp_path / "bad", prices=tmp_path / "bad.toml").start()
    (tmp_path / "scripts" / "demo.json").write_text("{")
    with pytest.raises(GatewayError, match=r"did not start; gateway\.log"):
        Gateway(tmp_path / "bad", scripts=tmp_path / "scripts").start()
    assert "not valid JSON" in (tmp_path / "bad" / "gateway.log").read_text()


def test_hundreds_of_doors(gateway: Gateway, tmp_path: Path) -> None:
    started = time.monotonic()
    for number in range(200):
        gateway.admit(Ticket(f"a{number}", KEY, tmp_path / f"{number}.jsonl", "scripted/demo"))
    asked = time.monotonic()
    assert all(isinstance(gateway.usage(f"a{number}"), Usage) for number in range(200))
    assert time.monotonic() - asked < 20 and asked - started < 60
    gateway.stop()
    assert verify_chain(tmp_path / "7.jsonl").holds


def test_ports_are_free_again_afterwards(tmp_path: Path) -> None:
    port = closed_port()
    for _ in range(2):
        with Gateway(tmp_path / "run") as gateway:
            ticket = Ticket("one", KEY, tmp_path / "one.jsonl", "ollama/x", port=port)
            assert gateway.admit(ticket).port == port
            gateway.dismiss("one")
