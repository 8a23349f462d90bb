"""The proxy: CONNECT for TLS, whole URLs for plain HTTP, to hosts of the allow-list and nowhere else.

A name is resolved here, every address is checked, and the connection goes to a checked address, so that a name server
that changes its answer leads nowhere. On the ports of the web a tunnel must begin with a TLS greeting that asks for a
name of the allow-list: an allowed host's address is no door to other sites behind the same address, as far as
unencrypted bytes tell.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mlebench.egress.heads import (
    MAX_HELLO,
    BadRequestError,
    Request,
    hello_size,
    parse_request,
    server_name,
)
from mlebench.egress.record import Record
from mlebench.egress.rules import WEB_PORTS, AllowList, host_name

HEAD_SECONDS = 30.0
CONNECT_SECONDS = 20.0
IDLE_SECONDS = 900.0
MAX_CONNECTIONS = 128
_CHUNK = 1 << 16

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""From a name and a port to addresses."""


async def system_resolve(host: str, port: int) -> list[str]:
    """The machine's own resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class RefusedError(Exception):
    """Not let through; the message is for the agent and for the log."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class _Passage:
    """One client's connection and what went through it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    method: str = ""
    host: str = ""
    port: int = 0
    address: str | None = None
    id: str = ""
    answered: bool = False
    reason: str | None = None
    up: int = 0
    down: int = 0
    active: float = 0.0


class Proxy:
    """Serves clients; `handle` is a callback for asyncio.start_server and its kin."""

    def __init__(self, allowed: AllowList, record: Record, resolve: Resolve = system_resolve) -> None:
        self._allowed = allowed
        self._record = record
        self._resolve = resolve
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        task = asyncio.current_task()
        assert task is not None
        if len(self._running) >= MAX_CONNECTIONS:
            await _answer(writer, "503 Service Unavailable", "Too many connections at once; close some.")
            writer.close()
            return
        self._running.add(task)
        passage = _Passage(reader, writer, id=secrets.token_hex(4))
        begun, fault = time.monotonic(), None
        try:
            await self._serve(passage)
        except RefusedError as refusal:
            passage.reason = str(refusal)
            if not passage.answered:
                await _answer(writer, refusal.status, str(refusal))
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as problem:
            fault = str(problem) or type(problem).__name__
            if passage.address is not None and not passage.answered:
                await _answer(writer, "502 Bad Gateway", f"{passage.host} cannot be reached.")
        except asyncio.CancelledError:
            fault = "cut: the proxy was stopped"
        except Exception as bug:
            passage.reason = f"a bug in the proxy: {bug!r}"
            raise
        finally:
            self._running.discard(task)
            writer.close()
            self._note(passage, time.monotonic() - begun, fault)

    async def close(self) -> None:
        """Cut every connection; each is noted with what went through it."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, passage: _Passage) -> None:
        async with asyncio.timeout(HEAD_SECONDS):
            try:
                head = await passage.reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                raise RefusedError("431 Request Header Fields Too Large", "The request's head is too long.") from None
        try:
            request = parse_request(head)
        except BadRequestError as problem:
            raise RefusedError("400 Bad Request", str(problem)) from None
        passage.method, passage.host, passage.port = request.method, request.host[:253], request.port
        addresses = await self._addresses(passage)
        passage.address = addresses[0]
        self._record.opened(id=passage.id, **_target(passage))
        there_reader, there = await _connect(passage, addresses)
        try:
            await self._carry(passage, request, there_reader, there)
        finally:
            there.close()

    async def _addresses(self, passage: _Passage) -> list[str]:
        """Where the request may go; RefusedError when nowhere."""
        host, port = host_name(passage.host), passage.port
        if host is None or not self._allowed.allows(host, port):
            shown = passage.host if passage.host.isascii() and passage.host.isprintable() else ascii(passage.host)
            passage.host = shown
            raise RefusedError("403 Forbidden", f"{shown}:{port} is not on this run's list of hosts ({self._allowed}).")
        if self._record.full:
            raise RefusedError("403 Forbidden", "This attempt has used up its number of network requests.")
        passage.host = host
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            raise RefusedError("502 Bad Gateway", f"The name {host} cannot be resolved.") from None
        usable = [
            address
            for address in found
            if "%" not in address and self._allowed.allows_address(ipaddress.ip_address(address), port)
        ]
        if not usable:
            shown = ", ".join(found[:5])
            raise RefusedError("403 Forbidden", f"{host} leads to {shown}, which is no public address.")
        return usable

    async def _carry(
        self,
        passage: _Passage,
        request: Request,
        there_reader: asyncio.StreamReader,
        there: asyncio.StreamWriter,
    ) -> None:
        passage.active = time.monotonic()
        if request.method == "CONNECT":
            passage.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await passage.writer.drain()
            passage.answered = True
            if passage.port in WEB_PORTS:
                hello = await self._greeting(passage)
                there.write(hello)
                passage.up += len(hello)
            upwards = _pump(passage, passage.reader, there, "up", None)
        else:
            there.write(request.head)
            passage.up += len(request.head)
            upwards = _pump(passage, passage.reader, there, "up", request.length)
            passage.answered = True  # from here on the server's answer may have begun
        up = asyncio.create_task(upwards)
        try:
            await _pump(passage, there_reader, passage.writer, "down", None)
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)

    async def _greeting(self, passage: _Passage) -> bytes:
        """Read the client's TLS greeting and see that it asks for a name of the list."""
        raw, message, needed = b"", b"", 4
        async with asyncio.timeout(HEAD_SECONDS):
            while len(message) < needed:
                header = await passage.reader.readexactly(5)
                if header[0] != 0x16 or header[1] != 3:
                    raise RefusedError("403", "Only TLS goes through a tunnel to this port.")
                record = await passage.reader.readexactly(int.from_bytes(header[3:5], "big"))
                raw, message = raw + header + record, message + record
                if len(message) >= 4:
                    size = hello_size(message)
                    if size is None or size > MAX_HELLO:
                        raise RefusedError("403", "The tunnel does not begin with a TLS greeting.")
                    needed = size
                if len(raw) > 2 * MAX_HELLO:
                    raise RefusedError("403", "The TLS greeting is too long.")
        try:
            name = server_name(message[:needed])
        except ValueError:
            raise RefusedError("403", "The TLS greeting is malformed.") from None
        if name is None:
            if passage.address == passage.host:  # an address that is on the list; addresses have no such name
                return raw
            raise RefusedError("403", "The TLS greeting names no server (SNI).")
        known = host_name(name)
        if known is None or not (known == passage.host or self._allowed.allows_name(known)):
            raise RefusedError("403", f"The TLS greeting asks for {name[:253]!a}, which is not on the list.")
        return raw

    def _note(self, passage: _Passage, seconds: float, fault: str | None) -> None:
        if not passage.method and not passage.reason:
            return  # a connection that asked for nothing, such as a test whether the port is open
        self._record.over(
            id=passage.id,
            **_target(passage),
            allowed=passage.reason is None,
            reason=passage.reason or fault,
            up=passage.up,
            down=passage.down,
            seconds=round(seconds, 3),
        )


def _target(passage: _Passage) -> dict[str, object]:
    return {
        "method": passage.method,
        "host": passage.host,
        "port": passage.port,
        "address": passage.address,
    }


async def _connect(passage: _Passage, addresses: list[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for last, address in enumerate(addresses, start=1 - len(addresses)):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                pair = await asyncio.open_connection(address, passage.port)
            passage.address = address
            return pair
        except OSError:
            if last == 0:
                raise
    raise OSError("no address")


async def _pump(
    passage: _Passage, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: str, length: int | None
) -> None:
    """Pass bytes on until the source ends, `length` bytes are through, or nothing moved either way for long."""
    while length is None or length > 0:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                data = await source.read(_CHUNK if length is None else min(_CHUNK, length))
        except TimeoutError:
            if time.monotonic() - passage.active >= IDLE_SECONDS:
                raise
            continue
        if not data:
            break
        passage.active = time.monotonic()
        sink.write(data)
        await sink.drain()
        setattr(passage, way, getattr(passage, way) + len(data))
        length = length - len(data) if length is not None else None
    if length is None and sink.can_write_eof():
        sink.write_eof()


async def _answer(writer: asyncio.StreamWriter, status: str, message: str) -> None:
    body = (message + "\n").encode("utf-8", "replace")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    try:
        writer.write(head.encode("ascii", "replace") + b"Connection: close\r\n\r\n" + body)
        await asyncio.wait_for(writer.drain(), 10)
    except (OSError, TimeoutError):
        pass
