"""Requests and TLS greetings, good and bad."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.egress.heads import BadRequestError, hello_size, parse_request, server_name


def greeting(name: str | None) -> bytes:
    """A ClientHello handshake message as Python's TLS makes it (one record, without its header)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()[5:]


def test_a_tunnel() -> None:
    request = parse_request(b"CONNECT Example.org:443 HTTP/1.1\r\nHost: other.test\r\n\r\n")
    assert (request.method, request.host, request.port, request.head) == ("CONNECT", "Example.org", 443, b"")


def test_a_whole_url() -> None:
    request = parse_request(
        b"POST http://user:pw@example.org:8080/a?b=c#d HTTP/1.1\r\nHost: evil.test\r\nX-A: 1\r\n"
        b"Proxy-Authorization: secret\r\nConnection: keep-alive\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n"
    )
    assert (request.host, request.port, request.length) == ("example.org", 8080, 3)
    assert request.head == (
        b"POST /a?b=c HTTP/1.1\r\nHost: example.org:8080\r\nX-A: 1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("url", "path"), [(b"http://a.test", b"/"), (b"http://a.test?q", b"/?q"), (b"HTTP://a.test/x", b"/x")]
)
def test_paths(url: bytes, path: bytes) -> None:
    assert parse_request(b"GET " + url + b" HTTP/1.1\r\n\r\n").head.startswith(b"GET " + path + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET https://a.test/ HTTP/1.1\r\n\r\n",
        b"GET http://a.test:0/ HTTP/1.1\r\n\r\n",
        b"GET http://a.test:99999/ HTTP/1.1\r\n\r\n",
        b"GET http://a.test /x HTTP/1.1\r\n\r\n",
        b"CONNECT a.test HTTP/1.1\r\n\r\n",
        b"CONNECT a.test:443:80 HTTP/1.1\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nX: a\nHost: evil.test\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\n folded\r\n\r\n",
        b"GET http://a.test/ HTTP/1.1\r\nA b: c\r\n\r\n",
        b"\x16\x03\x01\x00\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_what_is_no_request_for_a_proxy(head: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse_request(head)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(junk: bytes) -> None:
    try:
        request = parse_request(junk + b"\r\n\r\n")
    except BadRequestError:
        return
    assert request.host and 0 < request.port < 65536 and b"\n\r\n" not in request.head[:-4]


def test_the_name_in_a_greeting() -> None:
    hello = greeting("www.example.org")
    assert hello_size(hello[:4]) == len(hello) and server_name(hello) == "www.example.org"
    assert server_name(greeting(None)) is None
    assert hello_size(b"\x02\x00\x00\x01") is None


@given(st.data())
def test_a_damaged_greeting_is_a_value_error_at_most(data: st.DataObject) -> None:
    hello = bytearray(greeting("a.test"))
    for _ in range(data.draw(st.integers(1, 5))):
        hello[data.draw(st.integers(0, len(hello) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(hello[: data.draw(st.integers(0, len(hello)))])
    try:
        name = server_name(damaged)
    except ValueError:
        return
    assert name is None or name.encode() in damaged
