"""The scripted model server's HTTP side."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from mlebench.errors import UsageError
from mlebench.gateway.wire import Speech, error_body, estimated_tokens, request_texts, request_tools
from mlebench.scripted import anthropic, gemini, openai
from mlebench.scripted.answer import Answer, Piece, Tokens, tokens_of, tokens_written
from mlebench.scripted.ledger import Ledger
from mlebench.scripted.script import Script
from mlebench.scripted.sessions import NO_RULE, Scripts, script_name

SESSION_HEADER = "X-Mlebench-Session"
_MAX_BYTES = 256 * 1024**2


class Renderer(Protocol):
    """Puts an answer into a protocol's words."""

    def whole(self) -> dict[str, Any]: ...
    def stream(self) -> Any: ...


class ScriptedServer:
    """The application. Every request ends as one entry of `ledger`."""

    def __init__(self, scripts: Path | dict[str, Script], log: Path | None = None) -> None:
        """`scripts`: a folder of NAME.json files, or the scripts by name. `log`: the ledger's file."""
        self.ledger = Ledger(log)
        self._scripts = Scripts(scripts, self.ledger.uses())
        self._number = itertools.count(len(self.ledger.entries))

    def application(self) -> web.Application:
        """All endpoints; those of Anthropic and Gemini also below the gateway's prefixes."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        for path, speech in (
            ("/v1/chat/completions", Speech.CHAT),
            ("/v1/responses", Speech.RESPONSES),
            ("/v1/completions", Speech.COMPLETIONS),
            ("/v1/embeddings", Speech.EMBEDDINGS),
            ("/v1/messages", Speech.ANTHROPIC),
            ("/anthropic/v1/messages", Speech.ANTHROPIC),
        ):
            app.router.add_post(path, functools.partial(self._answer, speech=speech))
        for prefix in ("", "/anthropic"):
            app.router.add_post(f"{prefix}/v1/messages/count_tokens", self._count_messages)
        for place in ("/gemini/v1", "/gemini/v1beta", "/gemini/v1alpha", "/v1beta", "/v1alpha", "/v1"):
            if place != "/v1":
                app.router.add_get(f"{place}/models", self._gemini_models)
            app.router.add_post(f"{place}/models/{{name:.+}}:{{method}}", self._gemini)
        return app

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "running"})

    async def _models(self, request: web.Request) -> web.Response:
        entries = [
            {"id": name, "object": "model", "created": 0, "owned_by": "scripted"} for name in self._scripts.names()
        ]
        return web.json_response({"object": "list", "data": entries})

    async def _gemini_models(self, request: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": f"models/{name}"} for name in self._scripts.names()]})

    async def _count_messages(self, request: web.Request) -> web.Response:
        texts = request_texts(Speech.ANTHROPIC, await _body(request))
        return web.json_response({"input_tokens": estimated_tokens(_length(texts))})

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method == "countTokens":
            texts = request_texts(Speech.GEMINI, await _body(request))
            return web.json_response({"totalTokens": estimated_tokens(_length(texts))})
        if method in ("generateContent", "streamGenerateContent", "embedContent", "batchEmbedContents"):
            return await self._answer(request, Speech.GEMINI)
        raise web.HTTPNotFound

    async def _answer(self, request: web.Request, speech: Speech) -> web.StreamResponse:
        """Find the reply, carry out its faults, render it, note what was sent."""
        try:
            body = await _body(request)
        except ValueError:
            return _error(speech, 400, "The body is not a JSON object.")
        method = request.match_info.get("method", "")
        model = request.match_info.get("name") or str(body.get("model") or "")
        embedding = speech is Speech.EMBEDDINGS or method in ("embedContent", "batchEmbedContents")
        tools, texts = request_tools(speech, body), request_texts(speech, body)
        session = _session(request)
        try:
            asked = Speech.EMBEDDINGS if embedding else speech
            rule, use, reply = self._scripts.pick(session, script_name(model), asked, model, tools, texts)
        except UsageError as problem:
            return _error(speech, 404, str(problem), "model_not_found")
        answer = Answer(
            model, next(self._number), int(time.time()), reply, _stated(speech, tokens_of(reply, _length(texts)))
        )
        streamed = bool(body.get("stream")) or method == "streamGenerateContent"
        entry: dict[str, Any] = {
            "n": answer.number,
            "at": time.time(),
            "session": session,
            "script": script_name(model),
            "endpoint": speech.value,
            "model": model,
            "stream": streamed,
            "tools": tools,
            "parameters": {key: value for key, value in body.items() if isinstance(value, str | int | float | bool)},
            "rule": None,
            "rule_number": rule,
            "use": use,
            "status": 200,
            "usage": None,
            "whole": False,
        }
        if rule is not None:
            entry["rule"] = self._scripts.get(script_name(model)).rule_name(rule)
        with self.ledger.request(entry):
            return await self._carry_out(request, speech, _renderer(speech, body, answer, request), answer, entry)

    async def _carry_out(
        self, request: web.Request, speech: Speech, renderer: Renderer, answer: Answer, entry: dict[str, Any]
    ) -> web.StreamResponse:
        reply = answer.reply
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.hang:
            entry["status"] = 0
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.05)
            return web.Response()  # which nobody receives
        if reply.drop:
            entry["status"] = 0
            _cut_off(request)
            return web.Response()
        if reply.status is not None:
            entry["status"] = reply.status
            sentence = reply.error or f"Scripted error {reply.status}."
            response = _error(speech, reply.status, sentence, "no_rule" if reply is NO_RULE else reply.code)
            response.headers.update(reply.headers)
            return response
        if entry["stream"]:
            return await self._stream(request, renderer, answer, entry)
        data = json.dumps(renderer.whole()).encode()
        headers = {"Content-Type": "application/json", **reply.headers}
        if reply.drop_after is not None:
            partial = web.StreamResponse(headers={**headers, "Content-Length": str(len(data))})
            await partial.prepare(request)
            await partial.write(data[: len(data) // 2])
            _cut_off(request)
            return partial
        entry.update(usage=_noted(answer.tokens), whole=True)
        return web.Response(body=data, headers=headers)

    async def _stream(
        self, request: web.Request, renderer: Renderer, answer: Answer, entry: dict[str, Any]
    ) -> web.StreamResponse:
        kind = "application/json" if request.match_info.get("method") and request.query.get("alt") != "sse" else None
        headers = {"Content-Type": kind or "text/event-stream", "Cache-Control": "no-cache", **answer.reply.headers}
        response = web.StreamResponse(headers=headers)
        characters, whole = 0, False
        try:
            await response.prepare(request)
            pieces: list[Piece] = list(renderer.stream())
            started = time.monotonic()
            for index, piece in enumerate(pieces):
                if answer.reply.drop_after == index:
                    _cut_off(request)
                    return response
                if index and answer.reply.pace:  # by the clock: a busy machine does not stretch the stream
                    await asyncio.sleep(max(started + index * answer.reply.pace - time.monotonic(), 0))
                if request.transport is None or request.transport.is_closing():
                    raise ConnectionResetError
                await response.write(piece.data)
                characters += piece.characters
            whole = True
            await response.write_eof()
        finally:
            entry.update(usage=_noted(tokens_written(answer, characters, whole)), whole=whole)
        return response


def _renderer(speech: Speech, body: dict[str, Any], answer: Answer, request: web.Request) -> Renderer:
    if speech is Speech.GEMINI:
        if "mbed" in request.match_info["method"]:
            return gemini.Embedded(body, answer)
        return gemini.Generated(body, answer, request.query.get("alt") == "sse")
    return _RENDERERS[speech](body, answer)


_RENDERERS: dict[Speech, Any] = {
    Speech.CHAT: openai.Chat,
    Speech.RESPONSES: openai.Responses,
    Speech.COMPLETIONS: openai.Completions,
    Speech.EMBEDDINGS: openai.Embeddings,
    Speech.ANTHROPIC: anthropic.Messages,
}


async def _body(request: web.Request) -> dict[str, Any]:
    value = json.loads(await request.read())
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _session(request: web.Request) -> str:
    """The session that is named, else one for each key; a key itself is never noted."""
    named = request.headers.get(SESSION_HEADER)
    if named:
        return named
    for header in ("Authorization", "x-api-key", "x-goog-api-key"):
        if request.headers.get(header):
            return hashlib.sha256(request.headers[header].encode()).hexdigest()[:16]
    return ""


def _length(texts: list[str]) -> int:
    return sum(map(len, texts))


def _stated(speech: Speech, tokens: Tokens) -> Tokens:
    """What the protocol has words for: Anthropic's does not tell reasoning apart."""
    return replace(tokens, reasoning=0) if speech is Speech.ANTHROPIC else tokens


def _noted(tokens: Tokens) -> dict[str, int]:
    return {"input": tokens.input, "output": tokens.output, "cached": tokens.cached, "reasoning": tokens.reasoning}


def _cut_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _error(speech: Speech, status: int, message: str, code: str | None = None) -> web.Response:
    body = error_body(speech.family, status, message, code)
    return web.Response(status=status, body=body, content_type="application/json")
