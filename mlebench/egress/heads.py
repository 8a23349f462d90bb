"""Reading what a client asks a proxy for: the head of an HTTP request, and the name in a TLS client's greeting."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD = 32 * 1024
MAX_HELLO = 32 * 1024
_REQUEST = re.compile(r"([A-Z]{1,20}) ([\x21-\x7e]{1,8192}) HTTP/1\.[01]")
_ABSOLUTE = re.compile(r"http://([^/?#]*)(.*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^:@\[\]]+)(?::([0-9]{1,5}))?")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)")
_HOP = {"connection", "proxy-connection", "keep-alive", "te", "trailer", "upgrade", "host"}
"""Fields for one connection only, and Host, which the request's own target decides."""


class BadRequestError(Exception):
    """Not a request that a proxy can carry out; the message is for the agent."""


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    method: str
    host: str
    port: int
    head: bytes
    """For the server; empty for CONNECT."""
    length: int
    """Bytes of the body that follow."""


def parse_request(head: bytes) -> Request:
    """The request in `head`, which ends with its empty line; BadRequestError with a sentence otherwise."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    asked = _REQUEST.fullmatch(first)
    if asked is None:
        raise BadRequestError("This is no HTTP/1.1 request.")
    method, target = asked.groups()
    if method == "CONNECT":
        return Request(method, *_authority(target, None), b"", 0)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise BadRequestError("This is a proxy: ask it for a whole URL (http://...), or CONNECT through it for TLS.")
    host, port = _authority(absolute[1], 80)
    path = absolute[2].partition("#")[0]
    fields, length = _fields(lines)
    named = host.lower().removesuffix(".") + (f":{port}" if port != 80 else "")
    target = path if path.startswith("/") else f"/{path}"
    text = f"{method} {target} HTTP/1.1\r\nHost: {named}\r\n{fields}Connection: close\r\n\r\n"
    return Request(method, host, port, text.encode("latin-1"), length)


def _authority(text: str, port: int | None) -> tuple[str, int]:
    found = _AUTHORITY.fullmatch(text)
    number = int(found[2]) if found and found[2] else port
    if found is None or number is None or not 0 < number < 65536:
        raise BadRequestError("The request names no host and port.")
    return found[1].strip("[]"), number


def _fields(lines: list[str]) -> tuple[str, int]:
    """The header fields to pass on, and the body's length."""
    kept, lengths = [], set()
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadRequestError("The request has a malformed header field.")
        name = field[1].lower()
        if name == "transfer-encoding":
            raise BadRequestError("This proxy takes request bodies with a Content-Length only.")
        if name == "content-length":
            lengths.add(field[2].strip())
        elif name not in _HOP and not name.startswith("proxy-"):
            kept.append(f"{field[1]}: {field[2]}\r\n")
    if not lengths:
        return "".join(kept), 0
    length = lengths.pop()
    if lengths or not re.fullmatch(r"[0-9]{1,15}", length):
        raise BadRequestError("The request's Content-Length is malformed.")
    return "".join(kept) + f"Content-Length: {length}\r\n", int(length)


def hello_size(start: bytes) -> int | None:
    """Bytes of TLS handshake that a client's greeting takes, from its first four; None when it is no greeting."""
    return 4 + int.from_bytes(start[1:4], "big") if start[:1] == b"\x01" else None


def server_name(hello: bytes) -> str | None:
    """The name (SNI) in a TLS ClientHello handshake message; None where there is none. ValueError when malformed."""
    reader = _Reader(hello)
    reader.take(4 + 2 + 32)  # type and length, version, random
    reader.block(1)  # session
    reader.block(2)  # cipher suites
    reader.block(1)  # compression
    extensions = _Reader(reader.block(2) if reader.left else b"")
    while extensions.left:
        kind, body = extensions.number(2), extensions.block(2)
        if kind == 0:
            names = _Reader(_Reader(body).block(2))
            while names.left:
                name_kind, name = names.number(1), names.block(2)
                if name_kind == 0:
                    return name.decode("ascii")
    return None


class _Reader:
    """Takes bytes off the front; ValueError past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError("the greeting is cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size: int) -> bytes:
        """What follows a length of `size` bytes."""
        return self.take(self.number(size))
