"""One call from the agent to a model and back: passed on as it comes, read on the way, counted at the end."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from mlebench.gateway.agent_end import AgentEnd, passed_back, present
from mlebench.gateway.asks import Ask, Reader
from mlebench.gateway.backends import Backend
from mlebench.gateway.course import Course, line
from mlebench.gateway.limits import Limits
from mlebench.gateway.meter import Begun, Meter
from mlebench.gateway.prices import PriceTable, Tokens
from mlebench.gateway.recordings import Place, Recording
from mlebench.gateway.stated import Statement, Stream
from mlebench.gateway.upstream import Answered, Unreachable, Upstream
from mlebench.gateway.wire import error_body


class Relay:
    """Passes the calls of one attempt on."""

    def __init__(self, reader: Reader, meter: Meter, upstream: Upstream, prices: PriceTable, limits: Limits) -> None:
        self._reader = reader
        self._meter = meter
        self._upstream = upstream
        self._prices = prices
        self._limits = limits

    async def call(
        self, request: web.BaseRequest, ask: Ask, size: int, place: Place | None, recording: Recording | None
    ) -> web.StreamResponse:
        """Make the call; BudgetExhausted before anything is sent. Fills `recording` where there is one."""
        expected = self._reader.expected(ask, size, self._meter)
        url, headers, backend = self._reader.target(ask, request.headers)
        begun = await self._meter.begin(expected)
        course = Course(ask, place, size)
        statement = Statement(ask.speech)
        try:
            return await self._carry(request, course, statement, url, headers, backend, recording)
        finally:
            tokens = self._settle(course, statement, begun)
            if recording is not None:
                recording.tokens = tokens

    async def _carry(
        self,
        request: web.BaseRequest,
        course: Course,
        statement: Statement,
        url: str,
        headers: dict[str, str],
        backend: Backend,
        recording: Recording | None,
    ) -> web.StreamResponse:
        ask = course.ask
        try:
            answered = await self._upstream.ask(url, headers, ask.data(), lambda: present(request))
        except Unreachable as problem:
            course.retries = problem.retries
            return self._failed(course, problem.status, problem.code, problem.message, recording)
        course.retries = answered.retries
        course.status = answered.response.status
        if course.status >= 300:
            return self._error(course, answered, backend, recording)
        course.reached = True
        async with answered.response as response:
            kind = response.content_type
            if recording is not None:
                recording.status, recording.content_type = course.status, response.headers.get("Content-Type", kind)
            if kind == "text/event-stream":
                return await self._stream(request, course, response, statement, recording)
            if ask.stream:
                return await self._pieces(request, course, response, statement, recording)
            return await self._plain(request, course, response, statement, recording)

    async def _stream(
        self,
        request: web.BaseRequest,
        course: Course,
        response: aiohttp.ClientResponse,
        statement: Statement,
        recording: Recording | None,
    ) -> web.StreamResponse:
        stream = Stream(statement, course.ask.adds_usage)
        agent = AgentEnd(request, response, self._limits)
        whole = False
        try:
            async with agent.patience:
                await agent.open()
                async for data in response.content.iter_any():
                    course.sent(data)
                    passed = stream.feed(data)
                    if passed:
                        if recording is not None:
                            recording.add(passed)
                        await agent.send(passed)
                    if agent.gone and agent.enough(len(data)):
                        break
                else:
                    whole = True
        except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            course.error = "provider_broke_off"
        rest = stream.end()
        if rest:
            if recording is not None:
                recording.add(rest)
            await agent.send(rest)
        return await self._finish(course, agent, statement, whole, recording)

    async def _pieces(
        self,
        request: web.BaseRequest,
        course: Course,
        response: aiohttp.ClientResponse,
        statement: Statement,
        recording: Recording | None,
    ) -> web.StreamResponse:
        """A stream that is one JSON document (Gemini's without alt=sse): read when it is complete."""
        agent = AgentEnd(request, response, self._limits)
        held, whole = bytearray(), False
        try:
            async with agent.patience:
                await agent.open()
                async for data in response.content.iter_any():
                    course.sent(data)
                    if len(held) < self._limits.answer_bytes:
                        held += data
                    if recording is not None:
                        recording.add(data)
                    await agent.send(data)
                    if agent.gone and agent.enough(len(data)):
                        break
                else:
                    whole = True
        except (aiohttp.ClientError, OSError):
            course.error = "provider_broke_off"
        _read_whole(statement, bytes(held))
        return await self._finish(course, agent, statement, whole, recording)

    async def _plain(
        self,
        request: web.BaseRequest,
        course: Course,
        response: aiohttp.ClientResponse,
        statement: Statement,
        recording: Recording | None,
    ) -> web.StreamResponse:
        held = bytearray()
        try:
            async for data in response.content.iter_any():
                course.sent(data)
                held += data
                if len(held) > self._limits.answer_bytes:
                    return self._failed(course, 502, "answer_too_large", "The provider's answer is too large.", None)
        except (aiohttp.ClientError, OSError):
            return self._failed(course, 502, "provider_broke_off", "The provider broke off its answer.", recording)
        _read_whole(statement, bytes(held))
        body = bytes(held)
        if recording is not None:
            recording.add(body)
        course.outcome = "ok" if present(request) else "hung_up"
        return web.Response(status=course.status, body=body, headers=passed_back(response.headers))

    async def _finish(
        self, course: Course, agent: AgentEnd, statement: Statement, whole: bool, recording: Recording | None
    ) -> web.StreamResponse:
        if recording is not None:
            recording.whole = whole
        if whole:
            await agent.close()
        elif not agent.gone:
            agent.break_off()
        if statement.failed:
            course.error = course.error or "provider_failed_in_stream"
        course.outcome = "hung_up" if agent.gone else "ok" if whole and not statement.failed else "broken"
        return agent.response

    def _error(
        self, course: Course, answered: Answered, backend: Backend, recording: Recording | None
    ) -> web.StreamResponse:
        status = course.status
        if status in (401, 403):
            # The provider's words may hold parts of the key; and the matter is between it and the host.
            message = f"The provider {backend.name} refused the gateway's access (HTTP {status})."
            return self._failed(course, status, "provider_refused", message, recording)
        if status < 400:
            return self._failed(course, 502, "provider_redirected", "The provider's address is not right.", recording)
        course.outcome, course.error = "error", f"http_{status}"
        body = backend.scrub(answered.error)
        headers = passed_back(answered.response.headers)
        if recording is not None:
            recording.status, recording.content_type = status, headers["Content-Type"]
            recording.add(body)
        course.sent(body)
        return web.Response(status=status, body=body, headers=headers)

    def _failed(
        self, course: Course, status: int, code: str, message: str, recording: Recording | None
    ) -> web.StreamResponse:
        """An error of the gateway's own making."""
        course.status, course.outcome, course.error = status, "error", code
        body = error_body(course.ask.speech.family, status, message, code)
        if recording is not None:
            recording.status, recording.content_type = status, "application/json"
            recording.add(body)
        return web.Response(status=status, body=body, headers={"Content-Type": "application/json"})

    def _settle(self, course: Course, statement: Statement, begun: Begun) -> Tokens:
        ask = course.ask
        if course.reached and ask.route.generates:
            tokens, metered = statement.tokens(ask.characters)
        else:
            tokens, metered = Tokens(), True
        usd = self._prices.usd(ask.reference, tokens, datetime.now(UTC)) if tokens.total else 0.0
        self._meter.end(begun, **line(course, tokens, metered, usd, replayed=False))
        return tokens


def _read_whole(statement: Statement, data: bytes) -> None:
    try:
        statement.add(json.loads(data))
    except (ValueError, RecursionError):
        pass
