"""One attempt's door: who may enter, what is asked, what is turned away."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from mlebench.gateway.agent_end import present
from mlebench.gateway.api import Replay, Ticket, Usage
from mlebench.gateway.asks import Ask, Reader
from mlebench.gateway.backends import Backends
from mlebench.gateway.course import Course, line
from mlebench.gateway.intake import Intake
from mlebench.gateway.limits import Limits
from mlebench.gateway.meter import Meter
from mlebench.gateway.prices import PriceTable
from mlebench.gateway.quiet import silent
from mlebench.gateway.recordings import Place, Recording, Recordings, request_hashes
from mlebench.gateway.refusal import BudgetExhausted, Refusal
from mlebench.gateway.relay import Relay
from mlebench.gateway.routes import Route, family_of, find_route
from mlebench.gateway.upstream import Upstream
from mlebench.gateway.wire import error_body
from mlebench.hosting.listening import listen_at

_BACKLOG = 128
_KEEP_ALIVE_SECONDS = 900.0
"""Agents think, and train, between two calls."""
_LOGGER = logging.getLogger(__name__)


class Door:
    """Serves one ticket until it is closed."""

    def __init__(
        self,
        ticket: Ticket,
        meter: Meter,
        backends: Backends,
        prices: PriceTable,
        upstream: Upstream,
        limits: Limits,
        changed: Callable[[], None],
    ) -> None:
        """`meter`: the ticket's, open. `changed`: called when the usage may have changed."""
        self._ticket = ticket
        self._limits = limits
        self._meter = meter
        self._reader = Reader(ticket, backends, prices)
        self._relay = Relay(self._reader, self._meter, upstream, prices, limits)
        self._recordings = Recordings(ticket.cache) if ticket.cache and ticket.replay is not Replay.OFF else None
        self._changed = changed
        self._server = _Counted(self._handle, access_log=None, logger=silent(), keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._listening: asyncio.Server | None = None
        self._intake = Intake(limits)
        self._running: set[asyncio.Future[web.StreamResponse]] = set()
        self._closed = False
        self.port: int | None = None

    @property
    def usage(self) -> Usage:
        """Totals so far."""
        return self._meter.usage

    async def open(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        listening = listen_at(self._ticket.socket, self._ticket.port)
        listening.setblocking(False)
        self._listening = await loop.create_server(self._connection, sock=listening, backlog=_BACKLOG)
        self.port = None if self._ticket.socket else listening.getsockname()[1]

    async def close(self) -> Usage:
        """Cut what runs, close the log; the final totals."""
        self._closed = True
        if self._listening is not None:
            self._listening.close()
            if self._ticket.socket is not None:
                self._ticket.socket.unlink(missing_ok=True)
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._server.shutdown(timeout=0.1)
        return self._meter.close()

    def _connection(self) -> asyncio.BaseProtocol:
        if self._server.open >= self._limits.connections:
            return _TurnedAway()
        self._server.open += 1
        return self._server()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._closed:
            return web.Response(status=503, text="The attempt is over.")
        # The task lives as long as the connection; only what has begun is cut at the end.
        work = asyncio.ensure_future(self._answer(request))
        self._running.add(work)
        try:
            return await work
        finally:
            self._running.discard(work)
            self._changed()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        target = request.message.path
        route = find_route(request.method, target)
        family = family_of(target) if route is None else route.family
        try:
            if route is None:
                raise Refusal(404, "unknown_path", "There is no such path here; docs/gateway.md lists the paths.")
            if route.action == "health":
                return _json({"status": "running"})
            self._check_key(request, target)
            if route.action == "usage":
                return _json(self._own_usage())
            if route.action == "models":
                return _json(_model_list(route.family, self._reader.models()))
            return await self._call(request, route)
        except BudgetExhausted as refusal:
            self._meter.refuse(refusal.code, refusal.which)
            return _refused(family, refusal)
        except Refusal as refusal:
            self._meter.refuse(refusal.code)
            return _refused(family, refusal)
        except Exception as bug:
            # Its place is told, its words are not: they may hold a prompt.
            place = traceback.extract_tb(bug.__traceback__)[-1]
            _LOGGER.warning("%s at %s:%s", type(bug).__name__, place.filename, place.lineno)
            message = "The model gateway failed on this request; that is not the agent's fault."
            return _refused(family, Refusal(500, "gateway_error", message))

    async def _call(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        async with self._intake.body(request) as data:
            ask = self._reader.read(route, data, self._meter)
            return await self._passed(request, ask, len(data))

    async def _passed(self, request: web.BaseRequest, ask: Ask, size: int) -> web.StreamResponse:
        route = ask.route
        if self._recordings is None:
            return await self._relay.call(request, ask, size, None, None)
        hashes = request_hashes(f"{ask.speech.value} {route.suffix} {route.query}", ask.reference, ask.body)
        place = self._meter.occurrences.take(*hashes)
        try:
            if self._ticket.replay is Replay.REPLAY:
                return await self._replay(request, ask, size, place)
            recording = Recording(0, "")
            response = await self._relay.call(request, ask, size, place, recording)
        except Refusal:
            self._meter.occurrences.give_back(place)
            raise
        try:
            await asyncio.to_thread(self._recordings.store, place, recording)
        except OSError as problem:
            self._meter.note("recording_failed", request=place.request, shape=place.shape, reason=str(problem.strerror))
        return response

    async def _replay(self, request: web.BaseRequest, ask: Ask, size: int, place: Place) -> web.StreamResponse:
        assert self._recordings is not None
        self._meter.check()
        found = await asyncio.to_thread(self._recordings.find, place)
        if found is None:
            message = (
                f"No answer is recorded for this request to {ask.reference} (asked {place.occurrence} times before); "
                "a replay contacts no provider."
            )
            raise Refusal(404, "not_recorded", message)
        recording, found_by = found
        course = Course(ask, place, size, status=recording.status)
        try:
            response, course.outcome = await _play(request, recording, course)
            return response
        finally:
            facts = line(course, recording.tokens, metered=True, usd=0.0, replayed=True)
            self._meter.replayed(**facts, found_by=found_by)

    def _check_key(self, request: web.BaseRequest, target: str) -> None:
        headers = request.headers
        given = [headers.get("x-api-key"), headers.get("x-goog-api-key"), headers.get("api-key")]
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given.append(token.strip() if scheme.lower() == "bearer" else None)
        given += [part[4:] for part in target.partition("?")[2].split("&") if part.startswith("key=")]
        own = self._ticket.key.encode()
        if not any(hmac.compare_digest(one.encode("utf-8", "surrogateescape"), own) for one in given if one):
            raise Refusal(401, "wrong_key", "This is not the attempt's key: use $OPENAI_API_KEY as it is given.")

    def _own_usage(self) -> dict[str, Any]:
        budget = self._ticket.budget
        limits = {"usd": budget.usd, "tokens": budget.tokens, "calls": budget.calls}
        usage = self._meter.usage.model_dump(exclude={"head"})
        return {"usage": usage, "budget": limits, "left": self._meter.left(), "in_flight": self._meter.in_flight}


async def _play(request: web.BaseRequest, found: Recording, course: Course) -> tuple[web.StreamResponse, str]:
    """Send a recorded answer; a stream in the pieces in which it came."""
    headers = {"Content-Type": found.content_type, "x-mlebench-replayed": "true"}
    outcome = "error" if found.status >= 400 else "ok" if found.whole else "broken"
    if not course.ask.stream or found.status >= 400:
        body = b"".join(found.pieces)
        course.sent(body)
        return web.Response(status=found.status, body=body, headers=headers), outcome
    response = web.StreamResponse(status=found.status, headers=headers)
    try:
        await response.prepare(request)
        for piece in found.pieces:
            course.sent(piece)
            await response.write(piece)
        if found.whole:
            await response.write_eof()
        elif request.transport is not None:
            request.transport.close()
    except OSError:
        outcome = "hung_up"
    return response, outcome if present(request) or not found.whole else "hung_up"


class _Counted(web.Server):
    """Knows how many connections are open, those included that were accepted a moment ago."""

    open = 0

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        self.open -= 1
        super().connection_lost(handler, exc)


class _TurnedAway(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


def _json(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


def _refused(family: str, refusal: Refusal) -> web.Response:
    body = error_body(family, refusal.status, refusal.message, refusal.code)
    headers = {"Content-Type": "application/json", "x-should-retry": "false"}
    return web.Response(status=refusal.status, body=body, headers=headers)


def _model_list(family: str, references: list[str]) -> dict[str, Any]:
    if family == "gemini":
        methods = ["generateContent", "countTokens"]
        return {"models": [{"name": f"models/{one}", "supportedGenerationMethods": methods} for one in references]}
    if family == "anthropic":
        created = datetime.fromtimestamp(0, UTC).isoformat()
        data = [{"type": "model", "id": one, "display_name": one, "created_at": created} for one in references]
        return {"data": data, "has_more": False, "first_id": references[0], "last_id": references[-1]}
    now = int(time.time())
    entries = [{"id": one, "object": "model", "created": now, "owned_by": one.partition("/")[0]} for one in references]
    return {"object": "list", "data": entries}
