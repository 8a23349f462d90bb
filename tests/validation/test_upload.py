"""Receiving uploads: forms and raw bodies, cut into chunks anywhere."""

from __future__ import annotations

import io
import tempfile
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.validation.upload import UploadError, receive


class Trickle(io.BytesIO):
    """Gives at most `step` bytes a read, as a socket may."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self.step = step

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None and 0 < size <= 1 << 16, "never all at once"
        return super().read(min(self.step, size))


def send(body: bytes, kind: str, step: int = 1 << 16, length: str | None = None, limit: int = 10**9) -> bytes:
    headers = Message()
    headers["Content-Type"] = kind
    headers["Content-Length"] = length if length is not None else str(len(body))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        upload = receive(Trickle(body, step), headers, path, limit)
        content = path.read_bytes()
    assert upload.bytes == len(content)
    return content


def form(parts: list[tuple[str, bytes]], boundary: bytes) -> bytes:
    body = b""
    for name, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"; filename="x.csv"\r\nContent-Type: text/csv'
        body += b"--" + boundary + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--" + boundary + b"--\r\n"


_FORM = "multipart/form-data; boundary=XyZ"


@given(
    st.lists(st.sampled_from([b"\r\n", b"--", b"XyZ", b"\r\n--XyZ"[:-1], b"a", b"\x00\xff"]), max_size=30).map(
        b"".join
    ),
    st.integers(1, 40),
)
def test_the_file_arrives_whole(content: bytes, step: int) -> None:
    if b"\r\n--XyZ" in b"\r\n" + content:
        return  # a client chooses a boundary that its file does not hold
    parts = [("other", b"noise"), ("file", content), ("more", b"rest")]
    assert send(form(parts, b"XyZ"), _FORM, step) == content
    assert send(content, "text/csv", step) == content


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (form([("data", b"x")], b"XyZ"), _FORM, 400),
        (form([("file", b"x")], b"XyZ")[:-8], _FORM, 400),
        (form([("file", b"x")], b"XyZ")[:20], _FORM, 400),
        (b"", _FORM, 400),
        (b"x", "multipart/form-data", 400),
        (b"--XyZ\r\n" + b"h" * 100_000, _FORM, 400),
    ],
)
def test_malformed_requests(body: bytes, kind: str, status: int) -> None:
    with pytest.raises(UploadError) as problem:
        send(body, kind)
    assert problem.value.status == status


@pytest.mark.parametrize(("length", "status"), [("", 411), ("-1", 411), ("1e3", 411), ("101", 413), ("9" * 30, 411)])
def test_lengths(length: str, status: int) -> None:
    with pytest.raises(UploadError) as problem:
        send(b"x" * 10, "text/csv", length=length, limit=100)
    assert problem.value.status == status
    with pytest.raises(UploadError, match="announced"):
        send(b"x" * 10, "text/csv", length="50", limit=100)
