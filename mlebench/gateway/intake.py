"""Taking requests in: bounded in size, in complexity and in pace, because one process serves every attempt of a run."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.http import HttpProcessingError

from mlebench.gateway.limits import Limits
from mlebench.gateway.refusal import Refusal

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SUSPICIOUS = 100_000
_MOST_VALUES = 500_000
_BYTES_PER_VALUE = 200
"""Memory of a small JSON value, roughly."""


@dataclass
class _Load:
    """What a request weighs while it is being worked on."""

    weight: int = 0


class Intake:
    """The requests of one door."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0
        self._debt = 0.0
        self._seen = time.monotonic()

    @asynccontextmanager
    async def body(self, request: web.BaseRequest) -> AsyncIterator[bytes]:
        """A request's body; its weight counts while the block runs. Refusal when it is too much of something."""
        load = _Load()
        try:
            data = await self._read(request, load)
            values = _values(data)
            if values > _MOST_VALUES:
                raise Refusal(413, "request_too_large", f"A request may hold at most {_MOST_VALUES} JSON values.")
            self._hold(load, values * _BYTES_PER_VALUE)
            await self._pace(load.weight)
            yield data
        finally:
            self._held -= load.weight

    async def _read(self, request: web.BaseRequest, load: _Load) -> bytes:
        limits = self._limits
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refusal(415, "bad_request", "Compressed requests are not taken.")
        if (request.content_length or 0) > limits.request_bytes:
            raise self._too_large()
        data = bytearray()
        try:
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            async with asyncio.timeout(limits.read_seconds):
                async for piece in request.content.iter_any():
                    data += piece
                    self._hold(load, len(piece))
                    if len(data) > limits.request_bytes:
                        raise self._too_large()
        except TimeoutError:
            raise Refusal(408, "bad_request", "The request did not come in time.") from None
        except (OSError, aiohttp.ClientPayloadError, HttpProcessingError):
            raise Refusal(400, "bad_request", "The request did not come whole.") from None
        return bytes(data)

    def _hold(self, load: _Load, weight: int) -> None:
        load.weight += weight
        self._held += weight
        if self._held > self._limits.door_bytes:
            raise Refusal(429, "too_much_at_once", "Too many large requests at the same time.")

    async def _pace(self, weight: int) -> None:
        """Wait where this door took in much in a short time: reading it keeps the other attempts waiting."""
        now = time.monotonic()
        self._debt = max(self._debt - (now - self._seen) * self._limits.door_bytes_per_second, 0.0) + weight
        self._seen = now
        excess = self._debt - self._limits.door_burst_bytes
        if excess > 0:
            await asyncio.sleep(min(excess / self._limits.door_bytes_per_second, self._limits.read_seconds))

    def _too_large(self) -> Refusal:
        message = f"A request may have at most {self._limits.request_bytes} bytes."
        return Refusal(413, "request_too_large", message)


def _values(data: bytes | bytearray) -> int:
    """How many JSON values a text may hold; what stands in strings is left out where it would matter."""
    rough = _separators(data)
    return rough if rough <= _SUSPICIOUS else _separators(_STRING.sub(b"", bytes(data)))


def _separators(data: bytes | bytearray) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")
