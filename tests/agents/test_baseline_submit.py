"""What the baseline agent asks the validation endpoint, and what it makes of the answers."""

from __future__ import annotations

import email
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest
from solver.submit import own_check, validate


class Endpoint(BaseHTTPRequestHandler):
    """Answers as the server's attributes say and keeps what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def endpoint() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "answer", "accepted"),
    [
        (200, b"Submission is valid", True),
        (200, b"Submission is valid.\nNote: a column named invalid_rows is ignored.", True),
        (200, b"Submission is invalid: the column y is missing.", False),
        (200, b'{"valid": true}', True),
        (400, b'{"valid": false, "message": "no"}', False),
        (500, b"Submission is invalid", True),
    ],
)
def test_answers(endpoint: HTTPServer, tmp_path: Path, status: int, answer: bytes, accepted: bool) -> None:
    endpoint.status, endpoint.answer = status, answer
    file = tmp_path / "submission.csv"
    file.write_text("id,y\n1,2\n")
    assert validate(f"http://127.0.0.1:{endpoint.server_port}/validate", file)[0] is accepted


def test_the_file_is_sent_as_multipart_field(endpoint: HTTPServer, tmp_path: Path) -> None:
    endpoint.status, endpoint.answer = 200, b"Submission is valid"
    file = tmp_path / "submission.csv"
    file.write_text("id,y\n1,2\n")
    validate(f"http://127.0.0.1:{endpoint.server_port}/validate", file)
    (part,) = email.message_from_bytes(endpoint.got).get_payload()
    assert part.get_param("name", header="content-disposition") == "file"
    assert part.get_payload(decode=True).decode().strip() == "id,y\n1,2"


def test_without_an_endpoint_our_own_check_has_to_do(tmp_path: Path) -> None:
    file = tmp_path / "submission.csv"
    file.write_text("id,y\n1,2\n")
    assert validate("http://127.0.0.1:9/validate", file)[0]


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"id": [1]}), pd.DataFrame({"id": [1], "y": [0]}), pd.DataFrame({"id": [1, 2], "y": [0.5, None]})],
)
def test_own_check_refuses(frame: pd.DataFrame) -> None:
    assert own_check(frame, pd.DataFrame({"id": ["1", "2"], "y": ["0", "0"]})) is not None
