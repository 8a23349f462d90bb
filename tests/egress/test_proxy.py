"""The proxy on a local port, with a resolver that says what a test wants."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mlebench.chain import read_events, verify_chain
from mlebench.egress import proxy
from mlebench.egress.heads import MAX_HEAD
from mlebench.egress.proxy import Proxy
from mlebench.egress.record import Record, egress_totals
from mlebench.egress.rules import AllowList

sys.path.insert(0, str(Path(__file__).parent))
from test_heads import greeting

Talk = Callable[[bytes], Awaitable[bytes]]


async def talk(port: int, *pieces: bytes) -> bytes:
    """Send, and read to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    for piece in pieces[:-1]:
        writer.write(piece)
        answer += await reader.readuntil(b"\r\n\r\n")
    writer.write(pieces[-1])
    answer += await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


class Stage:
    """A proxy, its log, and what its names lead to."""

    def __init__(self, folder: Path, hosts: list[str], names: dict[str, list[str]]) -> None:
        self.log = folder / "egress.jsonl"
        self.hosts = hosts
        self.names = names
        self.resolved: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def play(self, script: Callable[[int], Awaitable[None]]) -> list[dict]:
        """Run `script` with the proxy's port; returns the request lines of the log."""

        async def run() -> None:
            record = Record(self.log, self.hosts)
            stage = Proxy(AllowList(self.hosts), record, self.resolve)
            server = await asyncio.start_server(stage.handle, "127.0.0.1", 0, limit=MAX_HEAD)
            try:
                await script(server.sockets[0].getsockname()[1])
            finally:
                server.close()
                await stage.close()
                record.close()

        asyncio.run(run())
        assert verify_chain(self.log).holds
        return [line for line in read_events(self.log) if line["event"] == "request"]


def ask(url: str) -> bytes:
    return f"GET {url} HTTP/1.1\r\nHost: lie.test\r\n\r\n".encode()


def test_plain_http(tmp_path: Path, origin: int, asked: list) -> None:
    stage = Stage(tmp_path, [f"files.test:{origin}", f"127.0.0.1:{origin}"], {"files.test": ["127.0.0.1"]})

    async def script(port: int) -> None:
        answer = await talk(port, ask(f"http://FILES.test.:{origin}/hello"))
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"you asked for /hello")
        big = await talk(port, ask(f"http://files.test:{origin}/big"))
        assert big.endswith(b"x" * 100_000)
        posted = f"POST http://files.test:{origin}/p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
        # What follows the body is not passed on: it would be a second request to whatever host it names.
        assert (await talk(port, posted.encode() + b"GET /evil HTTP/1.1\r\n\r\n")).endswith(b"abc")

    lines = stage.play(script)
    assert asked == [("/hello", f"files.test:{origin}"), ("/big", f"files.test:{origin}"), ("/p", "abc")]
    assert [line["allowed"] for line in lines] == [True] * 3
    assert lines[1]["down"] > 100_000 > lines[1]["up"] > 0 and lines[1]["address"] == "127.0.0.1"
    totals = egress_totals(stage.log)
    assert totals.requests == 3 and totals.refused == 0 and totals.hosts[f"files.test:{origin}"].requests == 3
    assert totals.down == sum(line["down"] for line in lines) and totals.head == verify_chain(stage.log).head


def test_a_tunnel_to_a_port_of_its_own(tmp_path: Path, origin: int) -> None:
    stage = Stage(tmp_path, [f"127.0.0.1:{origin}"], {"127.0.0.1": ["127.0.0.1"]})

    async def script(port: int) -> None:
        opened = f"CONNECT 127.0.0.1:{origin} HTTP/1.1\r\n\r\n".encode()
        answer = await talk(port, opened, b"GET /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 Connection established") and answer.endswith(b"you asked for /t")

    assert stage.play(script)[0]["method"] == "CONNECT"


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("evil.test", ["1.1.1.1"]),
        ("a.org.evil.test", ["1.1.1.1"]),
        ("a.org", ["127.0.0.1"]),
        ("a.org", ["169.254.169.254"]),
        ("a.org", ["::ffff:10.0.0.1", "fe80::1%eth0"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("[::1]", ["::1"]),
        ("0x7f.1", ["127.0.0.1"]),
        ("metadata.a.org", ["169.254.169.254"]),
    ],
)
@pytest.mark.parametrize("form", ["CONNECT {}:443 HTTP/1.1\r\n\r\n", "GET http://{}/ HTTP/1.1\r\n\r\n"])
def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, addresses: list[str], form: str
) -> None:
    stage = Stage(tmp_path, ["a.org", "*.a.org"], {host: addresses})
    monkeypatch.setattr("asyncio.open_connection", _guarded(asyncio.open_connection))

    async def script(port: int) -> None:
        answer = await talk(port, form.format(host).encode())
        assert answer.startswith(b"HTTP/1.1 403") and b"\r\n\r\n" in answer

    (line,) = stage.play(script)
    assert line["allowed"] is False and line["host"] == host.strip("[]") and (line["up"], line["down"]) == (0, 0)
    assert egress_totals(stage.log).refused == 1


def _guarded(connect: Callable[..., Awaitable]) -> Callable[..., Awaitable]:
    """The test's own connections only: nothing else may be connected to."""
    made = []

    async def guard(host: str, port: int, **options: object) -> object:
        made.append((host, port))
        assert len(made) == 1, made
        return await connect(host, port, **options)

    return guard


def test_the_address_that_was_checked_is_the_one_connected_to(tmp_path: Path, origin: int) -> None:
    """A name server that gives a good address first and an inner one next (DNS rebinding)."""
    hosts = [f"rebind.test:{origin}", f"127.0.0.1:{origin}"]
    stage = Stage(tmp_path, hosts, {"rebind.test": ["10.255.255.1", "127.0.0.1"]})

    async def script(port: int) -> None:
        answer = await talk(port, ask(f"http://rebind.test:{origin}/x"))
        assert answer.endswith(b"you asked for /x")

    (line,) = stage.play(script)
    assert line["address"] == "127.0.0.1" and stage.resolved == ["rebind.test"], "resolved once, bad address dropped"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "Only TLS"),
        (b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", "Only TLS"),
        (b"\x16\x03\x01" + len(greeting("evil.test")).to_bytes(2, "big") + greeting("evil.test"), "evil.test"),
        (b"\x16\x03\x01" + len(greeting(None)).to_bytes(2, "big") + greeting(None), "names no server"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "does not begin"),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", "does not begin"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "malformed"),
    ],
)
def test_a_tunnel_carries_tls_to_a_listed_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: int, sent: bytes, reason: str
) -> None:
    monkeypatch.setattr(proxy, "WEB_PORTS", (origin,))
    stage = Stage(tmp_path, [f"a.test:{origin}", f"127.0.0.1:{origin}"], {"a.test": ["127.0.0.1"]})

    async def script(port: int) -> None:
        answer = await talk(port, f"CONNECT a.test:{origin} HTTP/1.1\r\n\r\n".encode(), sent)
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"

    (line,) = stage.play(script)
    assert line["allowed"] is False and reason in line["reason"] and (line["up"], line["down"]) == (0, 0)
    totals = egress_totals(stage.log)
    assert (totals.requests, totals.refused) == (0, 1) and totals.refused_hosts == [f"a.test:{origin}"]


def test_a_greeting_to_a_listed_name_goes_through_in_any_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = bytearray()

    async def script(port: int) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(await reader.read(5000))
            writer.write(b"hello back")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        there = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(proxy, "WEB_PORTS", (there,))
        stage.hosts[:] = [f"a.test:{there}", f"*.b.test:{there}", f"127.0.0.1:{there}"]
        hello = greeting("x.b.test")  # another listed name behind the same address, as with connection reuse
        records = b"".join(
            b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in (hello[:3], hello[3:60], hello[60:])
        )
        inner = Proxy(AllowList(stage.hosts), record, stage.resolve)
        front = await asyncio.start_server(inner.handle, "127.0.0.1", 0, limit=MAX_HEAD)
        at = front.sockets[0].getsockname()[1]
        answer = await talk(at, f"CONNECT a.test:{there} HTTP/1.1\r\n\r\n".encode(), records)
        assert answer.endswith(b"hello back") and bytes(seen) == records
        front.close()
        server.close()

    stage = Stage(tmp_path, ["a.test"], {"a.test": ["127.0.0.1"]})
    record = Record(tmp_path / "inner.jsonl", [])
    stage.play(script)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_real_tls_client_gets_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tls.test"),
            *("-addext", "subjectAltName=DNS:tls.test,DNS:other.test", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))

    def client(port: int, there: int, name: str) -> bytes:
        """As HTTP clients do it: CONNECT, then TLS inside, which asks for `name`."""
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            plain.sendall(f"CONNECT tls.test:{there} HTTP/1.1\r\nHost: tls.test:{there}\r\n\r\n".encode())
            assert b" 200 " in plain.recv(4096)
            with trusting.wrap_socket(plain, server_hostname=name) as inside:
                inside.sendall(b"GET / HTTP/1.1\r\nHost: tls.test\r\n\r\n")
                answer = b""
                while piece := inside.recv(65536):
                    answer += piece
                return answer

    async def script(port: int) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 200_000)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=served)
        there = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(proxy, "WEB_PORTS", (there,))
        front = Proxy(AllowList([f"tls.test:{there}", f"127.0.0.1:{there}"]), record, stage.resolve)
        door = await asyncio.start_server(front.handle, "127.0.0.1", 0, limit=MAX_HEAD)
        at = door.sockets[0].getsockname()[1]
        assert (await asyncio.to_thread(client, at, there, "tls.test")).endswith(b"y" * 200_000)
        with pytest.raises((ssl.SSLError, OSError)):
            await asyncio.to_thread(client, at, there, "other.test")
        door.close()
        server.close()

    stage = Stage(tmp_path, [], {"tls.test": ["127.0.0.1"]})
    record = Record(tmp_path / "inner.jsonl", [])
    stage.play(script)
    through, refused = [line for line in read_events(tmp_path / "inner.jsonl") if line["event"] == "request"]
    assert through["allowed"] and through["down"] > 200_000
    assert not refused["allowed"] and "other.test" in refused["reason"] and refused["up"] == 0


def test_clients_that_dawdle_or_flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: int) -> None:
    monkeypatch.setattr(proxy, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(proxy, "MAX_CONNECTIONS", 20)
    stage = Stage(tmp_path, [f"127.0.0.1:{origin}"], {"127.0.0.1": ["127.0.0.1"]})

    async def script(port: int) -> None:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        for _, writer in slow:
            writer.write(b"GET http://")
        await asyncio.sleep(0.1)
        assert b"Too many connections" in await talk(port, ask(f"http://127.0.0.1:{origin}/"))
        await asyncio.sleep(0.7)
        assert [await reader.read() for reader, _ in slow] == [b""] * 20
        assert (await talk(port, ask(f"http://127.0.0.1:{origin}/"))).startswith(b"HTTP/1.1 200")
        assert b"431" in (await talk(port, b"GET http://a/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000))[:20]

    lines = stage.play(script)
    assert [line["allowed"] for line in lines] == [True, False]


def test_names_that_fail_and_hosts_that_are_down(tmp_path: Path) -> None:
    stage = Stage(tmp_path, ["gone.test", "127.0.0.1:9", "down.test:9"], {"down.test": ["127.0.0.1"]})

    async def script(port: int) -> None:
        assert b"cannot be resolved" in await talk(port, ask("http://gone.test/"))
        assert b"502" in (await talk(port, ask("http://down.test:9/")))[:20]

    lines = stage.play(script)
    assert lines[0]["allowed"] is False and lines[1]["allowed"] is True and lines[1]["down"] == 0


def test_the_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlebench.egress.record.LOGGED_REFUSALS", 10)
    monkeypatch.setattr("mlebench.egress.record._STEP", 5)
    stage = Stage(tmp_path, ["a.test"], {})

    async def script(port: int) -> None:
        for _ in range(32):
            await talk(port, ask("http://" + "b" * 5000 + "\u00ff.test/"))

    assert len(stage.play(script)) == 10
    assert egress_totals(stage.log).refused == 30  # the last two are not yet a step
    assert stage.log.stat().st_size < 12 * 2000


def test_so_many_requests_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: int) -> None:
    monkeypatch.setattr("mlebench.egress.record.MAX_REQUESTS", 2)
    stage = Stage(tmp_path, [f"127.0.0.1:{origin}"], {"127.0.0.1": ["127.0.0.1"]})

    async def script(port: int) -> None:
        answers = [await talk(port, ask(f"http://127.0.0.1:{origin}/")) for _ in range(3)]
        assert b"used up" in answers[2] and b"200" in answers[1][:20]

    assert [line["allowed"] for line in stage.play(script)] == [True, True, False]


def test_a_stopped_proxy_says_what_it_cut(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [], {"127.0.0.1": ["127.0.0.1"]})

    async def script(port: int) -> None:
        held: list = []

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            writer.write(b"12345")
            await asyncio.sleep(60)

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        there = server.sockets[0].getsockname()[1]
        inner_record = Record(tmp_path / "inner.jsonl", [])
        inner = Proxy(AllowList([f"127.0.0.1:{there}"]), inner_record, stage.resolve)
        front = await asyncio.start_server(inner.handle, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname())
        writer.write(f"CONNECT 127.0.0.1:{there} HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"12345")
        await inner.close()
        inner_record.close()
        front.close()
        server.close()

    stage.play(script)
    (line,) = [line for line in read_events(tmp_path / "inner.jsonl") if line["event"] == "request"]
    assert line["reason"].startswith("cut") and line["down"] == 5 and line["allowed"] is True
