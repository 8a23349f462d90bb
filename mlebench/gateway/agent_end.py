"""The agent's end of a call: what it is sent, and that it may go away at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from mlebench.gateway.limits import Limits

_PASSED_BACK = ("Cache-Control", "Retry-After", "retry-after-ms", "x-should-retry")
_PASSED_BACK_BEGINNINGS = ("x-ratelimit-", "anthropic-ratelimit-")


class AgentEnd:
    """The agent's end of a stream; it may go away at any time."""

    def __init__(self, request: web.BaseRequest, response: aiohttp.ClientResponse, limits: Limits) -> None:
        self._request = request
        self._limits = limits
        self._drained = 0
        self.gone = False
        """Whether it has hung up."""
        self.patience = asyncio.timeout(None)
        """Runs out some time after it hung up."""
        self.response = web.StreamResponse(status=response.status, headers=passed_back(response.headers))

    async def open(self) -> None:
        """Send the head of the answer."""
        try:
            await self.response.prepare(self._request)
        except OSError:
            self._leave()

    async def send(self, data: bytes) -> None:
        """Pass on a piece; an agent that does not take it in time has gone away."""
        if self.gone:
            return
        if not present(self._request):
            self._leave()
            return
        try:
            async with asyncio.timeout(self._limits.read_seconds):
                await self.response.write(data)
        except OSError:
            self._leave()

    def enough(self, size: int) -> bool:
        """Whether so much came after it hung up (`size` bytes just now) that the rest is not worth reading."""
        self._drained += size
        return self._drained > self._limits.drain_bytes

    async def close(self) -> None:
        """End the answer."""
        if not self.gone:
            try:
                await self.response.write_eof()
            except OSError:
                self._leave()

    def break_off(self) -> None:
        """Close the connection in mid-answer, so that the agent sees that the answer is not whole."""
        if self._request.transport is not None:
            self._request.transport.close()

    def _leave(self) -> None:
        self.gone = True
        if not self.patience.expired():
            self.patience.reschedule(asyncio.get_running_loop().time() + self._limits.drain_seconds)
        if self._request.transport is not None:
            self._request.transport.abort()


def present(request: web.BaseRequest) -> bool:
    """Whether the agent's connection is still there."""
    return request.transport is not None and not request.transport.is_closing()


def passed_back(given: Mapping[str, str]) -> dict[str, str]:
    """Headers of the provider that the agent sees; none that tells who the host is there."""
    passed = {name: given[name] for name in _PASSED_BACK if name in given}
    passed |= {name: value for name, value in given.items() if name.lower().startswith(_PASSED_BACK_BEGINNINGS)}
    return {**passed, "Content-Type": given.get("Content-Type", "application/json")}
