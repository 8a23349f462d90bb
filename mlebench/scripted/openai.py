"""Answers in OpenAI's protocols: chat completions, responses, legacy completions, embeddings."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

from mlebench.scripted.answer import Answer, Piece, Tokens, argument_pieces

_DONE = Piece(b"data: [DONE]\n\n")


def _event(value: dict[str, Any], characters: int = 0, name: str | None = None) -> Piece:
    head = f"event: {name}\n" if name else ""
    return Piece(f"{head}data: {json.dumps(value)}\n\n".encode(), characters)


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


class Chat:
    """/v1/chat/completions: text, tool calls, and the older function_call."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        self._answer = answer
        self._legacy = bool(body.get("functions")) and not body.get("tools")
        options = body.get("stream_options")
        self._include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._base = {"id": answer.identifier("chatcmpl-"), "created": answer.created, "model": answer.model}
        self._finish = ("function_call" if self._legacy else "tool_calls") if answer.calls else "stop"

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        answer = self._answer
        message: dict[str, Any] = {"role": "assistant", "content": answer.text}
        calls = [self._call(index) for index in range(len(answer.calls))]
        if calls and self._legacy:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        facts = {**self._base, "object": "chat.completion", "choices": [choice]}
        return {**facts, "usage": _usage(answer.tokens)} if answer.reply.state_usage else facts

    def stream(self) -> Iterator[Piece]:
        """The same as server-sent events."""
        answer = self._answer
        yield self._chunk({"role": "assistant", "content": ""})
        for text in answer.text_pieces():
            yield self._chunk({"content": text}, len(text))
        for index, call in enumerate(answer.calls):
            whole = self._call(index)
            opening = {**whole["function"], "arguments": ""}
            yield self._chunk(
                {"function_call": opening}
                if self._legacy
                else {"tool_calls": [{"index": index, **whole, "function": opening}]}
            )
            for text in argument_pieces(call):
                part = {"arguments": text}
                yield self._chunk(
                    {"function_call": part} if self._legacy else {"tool_calls": [{"index": index, "function": part}]},
                    len(text),
                )
        yield self._chunk({}, finish=self._finish)
        if self._include_usage and answer.reply.state_usage:
            yield _event(
                {**self._base, "object": "chat.completion.chunk", "choices": [], "usage": _usage(answer.tokens)}
            )
        yield _DONE

    def _call(self, index: int) -> dict[str, Any]:
        call = self._answer.calls[index]
        identifier = self._answer.identifier("call_", index)
        return {"id": identifier, "type": "function", "function": {"name": call.name, "arguments": call.text}}

    def _chunk(self, delta: dict[str, Any], characters: int = 0, finish: str | None = None) -> Piece:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        facts = {**self._base, "object": "chat.completion.chunk", "choices": [choice]}
        if self._include_usage:
            facts["usage"] = None
        return _event(facts, characters)


class Completions:
    """/v1/completions."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        self._answer = answer
        options = body.get("stream_options")
        self._include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        identifier = answer.identifier("cmpl-")
        self._base = {"id": identifier, "object": "text_completion", "created": answer.created, "model": answer.model}

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        facts = {**self._base, "choices": [self._choice(self._answer.text or "", "stop")]}
        return {**facts, "usage": _usage(self._answer.tokens)} if self._answer.reply.state_usage else facts

    def stream(self) -> Iterator[Piece]:
        """The same as server-sent events."""
        for text in self._answer.text_pieces():
            yield _event({**self._base, "choices": [self._choice(text, None)]}, len(text))
        yield _event({**self._base, "choices": [self._choice("", "stop")]})
        if self._include_usage and self._answer.reply.state_usage:
            yield _event({**self._base, "choices": [], "usage": _usage(self._answer.tokens)})
        yield _DONE

    @staticmethod
    def _choice(text: str, finish: str | None) -> dict[str, Any]:
        return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}


class Responses:
    """/v1/responses."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        self._answer = answer
        self._echo = {
            "instructions": body.get("instructions"),
            "temperature": body.get("temperature"),
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
        }
        self._items = list(self._output())

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        tokens = self._answer.tokens
        usage = {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": tokens.cached},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
            "total_tokens": tokens.input + tokens.output,
        }
        return self._response("completed", self._items, usage if self._answer.reply.state_usage else None)

    def stream(self) -> Iterator[Piece]:
        """The same as named events with a running number."""
        number = 0

        def event(kind: str, characters: int = 0, **facts: Any) -> Piece:
            nonlocal number
            number += 1
            return _event({"type": kind, "sequence_number": number - 1, **facts}, characters, kind)

        opening = self._response("in_progress", [], None)
        yield event("response.created", response=opening)
        yield event("response.in_progress", response=opening)
        for index, item in enumerate(self._items):
            place: dict[str, Any] = {"item_id": item["id"], "output_index": index}
            if item["type"] == "message":
                part = item["content"][0]
                started = {**item, "status": "in_progress", "content": []}
                yield event("response.output_item.added", output_index=index, item=started)
                place["content_index"] = 0
                yield event("response.content_part.added", **place, part={**part, "text": ""})
                for text in self._answer.text_pieces():
                    yield event("response.output_text.delta", len(text), **place, delta=text, logprobs=[])
                yield event("response.output_text.done", **place, text=part["text"], logprobs=[])
                yield event("response.content_part.done", **place, part=part)
            else:
                started = {**item, "status": "in_progress", "arguments": ""}
                yield event("response.output_item.added", output_index=index, item=started)
                call = self._answer.calls[index - (self._answer.text is not None)]
                for text in argument_pieces(call):
                    yield event("response.function_call_arguments.delta", len(text), **place, delta=text)
                place |= {"arguments": call.text, "name": call.name}
                yield event("response.function_call_arguments.done", **place)
            yield event("response.output_item.done", output_index=index, item=item)
        yield event("response.completed", response=self.whole())

    def _output(self) -> Iterator[dict[str, Any]]:
        answer = self._answer
        if answer.text is not None:
            content = [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}]
            message = {"type": "message", "id": answer.identifier("msg_"), "status": "completed", "role": "assistant"}
            yield {**message, "content": content}
        for index, call in enumerate(answer.calls):
            names = {"id": answer.identifier("fc_", index), "call_id": answer.identifier("call_", index)}
            yield {"type": "function_call", **names, "name": call.name, "arguments": call.text, "status": "completed"}

    def _response(self, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": self._answer.identifier("resp_"),
            "object": "response",
            "created_at": self._answer.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "metadata": {},
            "model": self._answer.model,
            "output": output,
            "parallel_tool_calls": True,
            "top_p": None,
            "text": {"format": {"type": "text"}},
            "truncation": "disabled",
            "usage": usage,
            **self._echo,
        }


class Embeddings:
    """/v1/embeddings: vectors made of each input's hash, the same for the same text."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        inputs = body.get("input")
        # A list of numbers is one input, given as tokens.
        one = not isinstance(inputs, list) or (bool(inputs) and all(isinstance(item, int) for item in inputs))
        self._inputs = [inputs] if one else inputs
        self._size = _dimensions(body.get("dimensions"))
        self._base64 = body.get("encoding_format") == "base64"
        self._answer = answer

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        data = [
            {"object": "embedding", "index": index, "embedding": self._encoded(vector(json.dumps(item), self._size))}
            for index, item in enumerate(self._inputs or [])
        ]
        tokens = self._answer.tokens
        facts = {"object": "list", "model": self._answer.model, "data": data}
        return {**facts, "usage": {"prompt_tokens": tokens.input, "total_tokens": tokens.input}}

    def stream(self) -> Iterator[Piece]:
        """Embeddings are never streamed; the plain answer as one piece."""
        yield Piece(json.dumps(self.whole()).encode())

    def _encoded(self, values: list[float]) -> list[float] | str:
        if not self._base64:
            return values
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def vector(text: str, size: int = 64) -> list[float]:
    """A unit vector made of the text's hash."""
    noise = hashlib.shake_256(text.encode()).digest(2 * size)
    raw = [value / 32768 for value in struct.unpack(f"<{size}h", noise)]
    length = sum(value * value for value in raw) ** 0.5 or 1.0
    return [value / length for value in raw]


def _dimensions(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 4096 else 64
