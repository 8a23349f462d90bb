"""Answers in Gemini's protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlebench.scripted.answer import Answer, Piece
from mlebench.scripted.openai import vector


class Generated:
    """models/NAME:generateContent and :streamGenerateContent; `sse` as asked for with ?alt=sse, else one JSON list."""

    def __init__(self, body: dict[str, Any], answer: Answer, sse: bool = True) -> None:
        self._answer = answer
        self._sse = sse

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        text = [] if self._answer.text is None else [{"text": self._answer.text}]
        return self._response([*text, *self._calls()], final=True)

    def stream(self) -> Iterator[Piece]:
        """The same in pieces, each a response of its own; tool calls come whole in the last."""
        first = True
        for text in self._answer.text_pieces():
            yield self._piece(self._response([{"text": text}]), len(text), first)
            first = False
        characters = sum(len(call.text) for call in self._answer.calls)
        yield self._piece(self._response(self._calls(), final=True), characters, first)
        if not self._sse:
            yield Piece(b"]")

    def _piece(self, value: dict[str, Any], characters: int, first: bool) -> Piece:
        text = json.dumps(value)
        if self._sse:
            return Piece(f"data: {text}\r\n\r\n".encode(), characters)
        return Piece(f"{'[' if first else ','}{text}\n".encode(), characters)

    def _calls(self) -> list[dict[str, Any]]:
        return [{"functionCall": {"name": call.name, "args": call.arguments}} for call in self._answer.calls]

    def _response(self, parts: list[dict[str, Any]], final: bool = False) -> dict[str, Any]:
        tokens = self._answer.tokens
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if final:
            candidate["finishReason"] = "STOP"
        usage = {"promptTokenCount": tokens.input, "totalTokenCount": tokens.input}
        if final:
            usage |= {
                "cachedContentTokenCount": tokens.cached,
                "candidatesTokenCount": tokens.output - tokens.reasoning,
                "thoughtsTokenCount": tokens.reasoning,
                "totalTokenCount": tokens.input + tokens.output,
            }
        facts = {"candidates": [candidate], "modelVersion": self._answer.model}
        facts["responseId"] = self._answer.identifier("resp")
        return {**facts, "usageMetadata": usage} if self._answer.reply.state_usage else facts


class Embedded:
    """models/NAME:embedContent and :batchEmbedContents."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        self._body = body

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        if "requests" in self._body:
            asked = [one.get("content") for one in self._body["requests"]]
            return {"embeddings": [{"values": vector(json.dumps(content))} for content in asked]}
        return {"embedding": {"values": vector(json.dumps(self._body.get("content")))}}

    def stream(self) -> Iterator[Piece]:
        """Never streamed; the plain answer as one piece."""
        yield Piece(json.dumps(self.whole()).encode())
