"""The forwarder that brings a host's sockets to a container's localhost."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlebench.content import content_dir

_FORWARD = content_dir("environment") / "forward.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[socket.socket]:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s.sock"))
    listening.listen(200)
    listening.settimeout(20)
    yield listening
    listening.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A forwarder's port, in front of tmp_path/s.sock."""
    number = free_port()
    route = f"{number}:{tmp_path / 's.sock'}"
    with (tmp_path / "complaints").open("wb") as complaints:
        command = [sys.executable, "-I", "-S", str(_FORWARD), "--patience", "1.5", route]
        process = subprocess.Popen(command, stderr=complaints)
    until(lambda: listens(number))
    yield number
    process.kill()
    process.wait()
    assert (tmp_path / "complaints").read_text() == ""


def listens(port: int) -> bool:
    """Without a connection, which the service would see."""
    return f":{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read_all(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(1 << 16):
        data += piece
    return data


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_both_ways_at_once_and_half_closed(service: socket.socket, port: int) -> None:
    load = bytes(range(256)) * 20_000
    with connect(port) as client:
        there, _ = service.accept()
        there.settimeout(20)
        got: list[bytes] = []
        reading = threading.Thread(target=lambda: got.append(read_all(there)))
        answering = threading.Thread(target=lambda: (there.sendall(load[::-1]), there.shutdown(socket.SHUT_WR)))
        reading.start()
        answering.start()
        client.sendall(load)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == load[::-1]
        reading.join(20)
        answering.join(20)
        there.close()
        assert got == [load]


def test_a_service_that_is_away_is_said_as_such_and_found_again(
    service: socket.socket, port: int, tmp_path: Path
) -> None:
    (tmp_path / "s.sock").rename(tmp_path / "away.sock")
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\n\r\n" + bytes(100_000))
        answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 503") and b"try again" in answer
    (tmp_path / "away.sock").rename(tmp_path / "s.sock")
    with connect(port) as client:
        there, _ = service.accept()
        there.sendall(b"back")
        there.close()
        assert read_all(client) == b"back"


def test_callers_wait_for_a_service_that_is_away_for_a_moment(
    service: socket.socket, port: int, tmp_path: Path
) -> None:
    (tmp_path / "s.sock").rename(tmp_path / "away.sock")
    with connect(port) as client:
        client.sendall(b"asked meanwhile")
        time.sleep(0.5)
        (tmp_path / "away.sock").rename(tmp_path / "s.sock")
        there, _ = service.accept()
        assert there.recv(100) == b"asked meanwhile"
        there.sendall(b"answered")
        there.close()
        assert read_all(client) == b"answered"


def test_who_hangs_up_is_missed_on_the_other_side(service: socket.socket, port: int) -> None:
    """Also while the other side does not read, so that what was sent to it never gets through."""
    client = connect(port)
    there, _ = service.accept()
    there.settimeout(20)
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(1 << 16))
            time.sleep(0.001)
    except BlockingIOError:
        pass
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()  # a reset
    with contextlib.suppress(ConnectionResetError):
        while there.recv(1 << 20):  # what it sent, then the end
            pass
    with pytest.raises(OSError):
        for _ in range(200):
            there.sendall(bytes(1 << 16))
    there.close()


def test_many_that_come_and_go_leave_nothing(service: socket.socket, port: int) -> None:
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                there, _ = service.accept()
            except OSError:
                return
            there.sendall(b"x" * 100_000)
            there.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    for number in range(150):
        client = connect(port)
        if number % 3 == 0:
            client.recv(10)
        client.close()
    with connect(port) as client:
        assert len(read_all(client)) == 100_000
    stop.set()
    pid = next(
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if str(port).encode() in (folder / "cmdline").read_bytes()
        and b"forward.py" in (folder / "cmdline").read_bytes()
    )
    until(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) < 15)


def test_in_the_background(service: socket.socket, tmp_path: Path) -> None:
    number = free_port()
    command = [sys.executable, "-I", "-S", str(_FORWARD), "--background", f"{number}:{tmp_path / 's.sock'}"]
    began = time.monotonic()
    assert subprocess.run(command, check=False, timeout=20, stderr=subprocess.DEVNULL).returncode == 0
    assert listens(number) and time.monotonic() - began < 5
    second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and "cannot listen" in second.stderr
    with connect(number) as client:
        there, _ = service.accept()
        there.sendall(b"here")
        there.close()
        assert read_all(client) == b"here"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = str(tmp_path).encode() in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if ours:
            os.kill(int(folder.name), signal.SIGKILL)
