from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # importlib mode leaves helpers beside the tests to us


class Origin(http.server.BaseHTTPRequestHandler):
    """Tells what it was asked, and remembers it."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers.get("Host")))
        body = b"x" * 100_000 if self.path == "/big" else f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked.append((self.path, body.decode()))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[int]:
    """The port of an HTTP server on this machine's 127.0.0.1."""
    Origin.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def asked(origin: int) -> list[tuple[str, str | None]]:
    """What the server at `origin` was asked: path and Host, or path and body."""
    return Origin.asked
