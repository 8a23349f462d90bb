"""Who may enter, what is refused, and that no key leaves the host."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from gateway_world import KEY, PATIENCE, SECRETS, Attempt, World
from hypothesis import given
from hypothesis import strategies as st
from provider_echo import Echo, echo_provider

from mlebench.gateway.api import Ticket
from mlebench.gateway.hosted import hosted_feature
from mlebench.gateway.launcher import Gateway
from mlebench.gateway.routes import find_route
from mlebench.gateway.wire import Speech

BODY = {"model": "openai/demo", "messages": [{"role": "user", "content": "hello"}]}


def raw(attempt: Attempt, text: bytes) -> bytes:
    """Send bytes as they are, return the status line."""
    port = int(attempt.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(65536).split(b"\r\n")[0]


def test_only_the_attempts_own_key_opens(world: World, attempt: Attempt) -> None:
    other = world.admit(key="other-key")
    url = attempt.url + "/v1/chat/completions"
    for headers in ({}, {"Authorization": "Bearer other-key"}, {"Authorization": "Basic x"}, {"x-api-key": "kéy"}):
        encoded = {name: value.encode() for name, value in headers.items()}
        answer = requests.post(url, json=BODY, headers=encoded, timeout=10)
        assert answer.status_code == 401 and answer.json()["error"]["code"] == "wrong_key"
    for secret in SECRETS.values():
        assert requests.post(url, json=BODY, headers={"x-api-key": secret}, timeout=10).status_code == 401
    for name in ("x-api-key", "x-goog-api-key", "api-key"):
        assert requests.post(url, json=BODY, headers={name: KEY}, timeout=10).status_code == 200
    assert requests.post(f"{url}?key={KEY}", json=BODY, timeout=10).status_code == 200
    assert requests.post(f"{url}?key={KEY}x", json=BODY, timeout=10).status_code == 401
    assert requests.get(attempt.url + "/usage", timeout=10).status_code == 401
    attempt.usage_when(lambda usage: usage.refused >= 7)
    assert other.usage.calls == 0


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/v1/chat/../chat/completions",
        "/v1/./chat/completions",
        "/v1/chat%2Fcompletions",
        "/V1/chat/completions",
        "/v1/files",
        "/v1/fine_tuning/jobs",
        "/v1/responses/resp_1",
        "/anthropic/v1/messages/batches",
        "/anthropic/v1/organizations",
        "/gemini/v1beta/models/../../upload:generateContent",
        "/gemini/v1beta/models/x%2F..%2Fy:generateContent",
        "/gemini/v1beta/models/x%00:generateContent",
        "/gemini/v1beta/models/x?y:generateContent",
        "/gemini/v1beta/models/x:deleteModel",
        "/gemini/v1beta/cachedContents",
        "/gemini/v2/models/x:generateContent",
        "http://127.0.0.1:1/v1/chat/completions",
        "/v1/chat/completions#x",
    ],
)
def test_other_paths_lead_nowhere(world: World, attempt: Attempt, path: str) -> None:
    before = len(world.provider.ledger.settled())
    body = json.dumps(BODY).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    assert raw(attempt, head.encode() + body).split()[1] in (b"404", b"400")
    assert len(world.provider.ledger.settled()) == before


@given(st.text(alphabet="/.:%aAv1?#&=-_2F", max_size=60))
def test_no_target_makes_a_path_trick(tail: str) -> None:
    route = find_route("POST", "/gemini/v1beta/models/" + tail)
    if route is not None:
        assert route.model is not None
        parts = route.model.split("/")
        assert all(part and not part.startswith(".") and not set(part) & set("?#%&=") for part in parts)


def test_other_methods_lead_nowhere(attempt: Attempt) -> None:
    for method in (b"CONNECT 127.0.0.1:22", b"DELETE /v1/chat/completions", b"GET /v1/chat/completions", b"PUT /usage"):
        head = method + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n"
        assert raw(attempt, head).split()[1] in (b"404", b"400")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[1, 2]", 400),
        (b'"text"', 400),
        (b"{}", 400),
        (b'{"model": 7}', 400),
        (b'{"model": "../../etc/passwd"}', 400),
        (b'{"model": "openai/a b"}', 400),
        (b'{"model": "openai/\\u0000"}', 400),
        (b"[" * 100_000, 400),
        (b'{"model": "openai/demo", "messages": ' + b"[" * 2000 + b"]" * 2000 + b"}", None),
        (b'{"model": "openai/demo", "messages": 5, "stream_options": 3, "stream": true, "tools": 4}', None),
        (b'{"model": "openai/demo", "messages": [{"content": "\\ud800"}]}', None),
        (b"\xff\xfe{}", 400),
    ],
)
def test_odd_requests_do_no_harm(attempt: Attempt, content: bytes, status: int | None) -> None:
    for path in ("/v1/chat/completions", "/v1/responses", "/anthropic/v1/messages"):
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = requests.post(attempt.url + path, data=content, headers=headers, timeout=30)
        assert answer.status_code == status if status else answer.status_code < 600
        assert status is None or "error" in answer.json()
    assert attempt.chat("hello").status_code == 200


def test_requests_are_bounded(world: World) -> None:
    from dataclasses import replace

    small = replace(PATIENCE, request_bytes=10_000, connections=3)
    with Gateway(world.folder / "small", limits=small) as gateway:
        door = gateway.admit(Ticket("a", KEY, world.folder / "small.jsonl", "ollama/x"))
        attempt = Attempt(gateway, Ticket("a", KEY, Path("x"), "ollama/x"), f"http://127.0.0.1:{door.port}")
        answer = attempt.chat("x" * 20_000)
        assert answer.status_code == 413 and answer.json()["error"]["code"] == "request_too_large"
        headers = {"Authorization": f"Bearer {KEY}"}
        pieces = (b"x" * 1000 for _ in range(100))
        url = attempt.url + "/v1/chat/completions"
        try:
            assert requests.post(url, data=pieces, headers=headers, timeout=10).status_code == 413
        except requests.ConnectionError:
            pass  # the answer came while the rest was still being sent
        packed = {**headers, "Content-Encoding": "gzip"}
        assert requests.post(url, data=b"x", headers=packed, timeout=10).status_code == 415
        attempt.session.close()
        held = [socket.create_connection(("127.0.0.1", door.port or 0), timeout=5) for _ in range(8)]
        for connection in held:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = 0
        for connection in held:
            try:
                answered += bool(connection.recv(1000))
            except OSError:
                pass
            connection.close()
        assert 1 <= answered <= 3


def test_requests_that_do_not_come_whole(attempt: Attempt) -> None:
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n"
    assert raw(attempt, f"{head}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n".encode()).split()[1] == b"400"
    port = int(attempt.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\nhalf".encode())
    attempt.usage_when(lambda usage: usage.refused >= 1)
    assert attempt.chat("hello").status_code == 200


def test_nobody_fills_the_gateways_log(world: World, attempt: Attempt) -> None:
    log = world.folder / "run" / "gateway.log"
    before = log.stat().st_size
    for _ in range(250):
        assert raw(attempt, b"\x00\x01 nonsense of an agent\r\n\r\n").split()[1] == b"400"
    body = {"requests": [5], "content": {}}  # a bug of the provider's, as often as the agent likes
    for _ in range(55):  # each tried four times
        attempt.post("/gemini/v1beta/models/scripted/demo:batchEmbedContents", body)
    assert log.stat().st_size - before < 500_000
    assert b"nonsense" not in log.read_bytes()


def test_requests_are_bounded_in_complexity_and_pace(world: World) -> None:
    from dataclasses import replace

    slow = replace(PATIENCE, door_bytes_per_second=100_000.0, door_burst_bytes=100_000, door_bytes=2_000_000)
    with Gateway(world.folder / "slow", limits=slow, scripts=world.folder / "scripts") as gateway:
        ticket = Ticket("a", KEY, world.folder / "slow.jsonl", "scripted/demo")
        attempt = Attempt(gateway, ticket, f"http://127.0.0.1:{gateway.admit(ticket).port}")
        many = b'{"model": "scripted/demo", "messages": [' + b"[]," * 300_000 + b"[]]}"
        headers = {"Authorization": f"Bearer {KEY}"}
        started = time.monotonic()
        answer = requests.post(attempt.url + "/v1/chat/completions", data=many, headers=headers, timeout=20)
        assert answer.status_code == 413 and "JSON values" in answer.json()["error"]["message"]
        assert attempt.chat("a, b, " * 6_000, "scripted/demo").status_code == 429  # as heavy as it is long
        assert time.monotonic() - started < 5
        assert attempt.chat("words " * 25_000, "scripted/demo").status_code == 200
        assert time.monotonic() - started > 0.4  # 150 kB, of which 50 have to wait
    with Gateway(world.folder / "slow", limits=PATIENCE, scripts=world.folder / "scripts") as gateway:
        attempt.url = f"http://127.0.0.1:{gateway.admit(ticket).port}"
        attempt.gateway = gateway
        assert attempt.chat("[1, 2], " * 200_000, "scripted/demo").status_code == 200  # it is but one string


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echo_provider() as server:
        yield server


def test_no_key_leaves_the_host(tmp_path: Path, echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-proj-very-secret-key-0815"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    key_file = tmp_path / "elsewhere" / "key"
    key_file.parent.mkdir()
    key_file.write_text("sk-from-a-file-4711\n")
    key_file.chmod(0o600)
    own = tmp_path / "elsewhere" / "providers.toml"
    own.write_text(
        f'[providers.openai.speaks]\nopenai-chat = "{echo.url}/v1"\n'
        f'[providers.lab]\nkey_file = "{key_file}"\n[providers.lab.speaks]\nopenai-chat = "{echo.url}/v1"\n'
        f'anthropic = "{echo.url}"\n'
    )
    run = tmp_path / "run"
    with Gateway(run, providers=own, limits=PATIENCE) as gateway:
        ticket = Ticket("a", KEY, run / "usage.jsonl", "openai/demo", replay="record", cache=run / "cache")  # type: ignore[arg-type]
        attempt = Attempt(gateway, ticket, f"http://127.0.0.1:{gateway.admit(ticket).port}")
        seen = []
        for model in ("openai/demo", "lab/demo"):
            for status in ("200", "400", "401", "403", "302", "500"):
                answer = attempt.chat(status, model, user="me")
                seen.append(answer.text + str(answer.headers))
                assert answer.status_code == (502 if status == "302" else int(status))
        body = {"model": "lab/demo", "messages": [{"role": "user", "content": "400"}]}
        headers = {"User-Agent": "spy/1.0", "Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "anthropic-beta": "x"}
        seen.append(attempt.post("/anthropic/v1/messages", body, headers=headers).text)
        assert gateway.pid is not None
        for name in ("cmdline", "environ"):
            try:
                seen.append(Path(f"/proc/{gateway.pid}/{name}").read_bytes().decode(errors="replace"))
            except PermissionError:
                assert name == "environ"
        gateway.dismiss("a")
    files = [path for path in run.rglob("*") if path.is_file()]
    assert {"usage.jsonl", "gateway.log"} <= {path.name for path in files} and len(files) > 5
    seen += [path.read_bytes().decode(errors="replace") for path in files if path.suffix != ".rec"]
    refusals = [path.read_bytes() for path in files if path.suffix == ".rec"]
    seen += [content.decode() for content in refusals if b'"status": 200' not in content[:100]]
    for text in seen[1:6] + seen[7:]:
        assert secret not in text and "sk-from-a-file-4711" not in text, text
    assert any("[key]" in text for text in seen)
    assert not any("elsewhere" in request["path"] for request in echo.requests)

    given = echo.requests[0]
    assert given["headers"]["Authorization"] == f"Bearer {secret}" and given["path"] == "/v1/chat/completions"
    assert given["body"] == {"model": "demo", "messages": [{"role": "user", "content": "200"}], "user": "me"}
    last = echo.requests[-1]["headers"]
    assert (last["x-api-key"], last["anthropic-beta"]) == ("sk-from-a-file-4711", "x")
    everything = json.dumps(echo.requests)
    assert (
        KEY not in everything and "spy" not in everything and "1.2.3.4" not in everything and "Cookie" not in everything
    )
    assert "the-host-org" not in json.dumps(seen[:6]).split("you sent")[0]


def test_the_door_of_a_container_is_a_socket(world: World, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)  # longer than a socket's address may be
    folder.mkdir()
    path = folder / "gateway.sock"
    path.write_text("left behind")
    world.gateway.admit(Ticket("boxed", KEY, tmp_path / "usage.jsonl", "openai/demo", socket=path))
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o666
    here = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{here}/gateway.sock")
        body = json.dumps(BODY).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nExpect: 100-continue\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    os.close(here)
    world.gateway.dismiss("boxed")
    assert not path.exists()


def chat_tool(kind: str) -> dict[str, object]:
    return {"tools": [{"type": kind, kind: {}}]}


@pytest.mark.parametrize(
    ("speech", "body", "refused"),
    [
        (Speech.CHAT, chat_tool("function"), False),
        (Speech.CHAT, chat_tool("custom"), False),
        (Speech.CHAT, chat_tool("web_search"), True),
        (Speech.CHAT, {"web_search_options": {"user_location": None}}, True),
        (Speech.CHAT, {"plugins": [{"id": "web"}]}, True),
        (Speech.RESPONSES, {"tools": [{"type": "function", "name": "f"}, {"type": "local_shell"}]}, False),
        (Speech.RESPONSES, {"tools": [{"type": "web_search_preview"}]}, True),
        (Speech.RESPONSES, {"tools": [{"type": "code_interpreter"}]}, True),
        (Speech.RESPONSES, {"tools": [{"type": "mcp", "server_url": "http://x"}]}, True),
        (Speech.ANTHROPIC, {"tools": [{"name": "f", "input_schema": {"url": "http://x"}}]}, False),
        (Speech.ANTHROPIC, {"tools": [{"type": "bash_20250124", "name": "bash"}]}, False),
        (Speech.ANTHROPIC, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, True),
        (Speech.ANTHROPIC, {"mcp_servers": [{"url": "http://x"}]}, True),
        (Speech.GEMINI, {"tools": [{"functionDeclarations": []}]}, False),
        (Speech.GEMINI, {"tools": [{"googleSearch": {}}]}, True),
        (Speech.GEMINI, {"contents": [{"parts": [{"fileData": {"fileUri": "https://x"}}]}]}, True),
        (Speech.CHAT, {"messages": [{"content": [{"image_url": {"url": "data:image/png;base64,AA"}}]}]}, False),
        (Speech.CHAT, {"messages": [{"content": [{"image_url": {"url": "https://x/y.png"}}]}]}, True),
        (Speech.CHAT, {"messages": [{"content": "see https://x/y.png"}]}, False),
        (Speech.ANTHROPIC, {"messages": [{"content": [{"source": {"type": "url", "url": "https://x"}}]}]}, True),
        (Speech.ANTHROPIC, {"messages": [{"content": [{"type": "tool_use", "input": {"url": "https://x"}}]}]}, False),
    ],
)
def test_ways_to_the_network_through_a_provider(speech: Speech, body: dict[str, object], refused: bool) -> None:
    assert (hosted_feature(speech, "gpt-4.1", body) is not None) is refused


def test_they_are_refused_unless_the_ticket_allows_them(world: World, attempt: Attempt) -> None:
    answer = attempt.chat("hello", tools=[{"type": "web_search"}])
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "hosted_tool"
    assert attempt.chat("hello", "openai/demo:online").status_code == 400
    for extra in ({"models": ["openai/o3"]}, {"fallbacks": ["x"]}, {"service_tier": "priority"}, {"speed": "fast"}):
        assert attempt.chat("hello", **extra).json()["error"]["code"] == "not_supported"
    assert attempt.chat("hello", service_tier="auto").status_code == 200
    body = {"model": "openai/demo", "input": "hello", "background": True}
    assert attempt.post("/v1/responses", body).json()["error"]["code"] == "not_supported"
    allowed = world.admit(hosted_tools=True)
    assert allowed.chat("hello", tools=[{"type": "web_search"}]).status_code == 200
