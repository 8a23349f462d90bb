"""Answers in Anthropic's messages protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlebench.scripted.answer import Answer, Piece, argument_pieces


def _event(value: dict[str, Any], characters: int = 0) -> Piece:
    return Piece(f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode(), characters)


class Messages:
    """/v1/messages: text and tool_use blocks."""

    def __init__(self, body: dict[str, Any], answer: Answer) -> None:
        self._answer = answer

    def whole(self) -> dict[str, Any]:
        """The plain answer."""
        answer = self._answer
        content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text is not None else []
        for index, call in enumerate(answer.calls):
            content.append({**self._opened(index), "input": call.arguments})
        usage = self._input_usage() | {"output_tokens": answer.tokens.output}
        return self._message(content, "tool_use" if answer.calls else "end_turn", usage)

    def stream(self) -> Iterator[Piece]:
        """The same as named events."""
        answer = self._answer
        start = self._message([], None, self._input_usage() | {"output_tokens": min(1, answer.tokens.output)})
        yield _event({"type": "message_start", "message": start})
        block = 0
        if answer.text is not None:
            yield _event({"type": "content_block_start", "index": block, "content_block": {"type": "text", "text": ""}})
            for text in answer.text_pieces():
                yield self._delta(block, {"type": "text_delta", "text": text}, len(text))
            yield _event({"type": "content_block_stop", "index": block})
            block += 1
        for index, call in enumerate(answer.calls):
            yield _event({"type": "content_block_start", "index": block, "content_block": self._opened(index)})
            for text in argument_pieces(call):
                yield self._delta(block, {"type": "input_json_delta", "partial_json": text}, len(text))
            yield _event({"type": "content_block_stop", "index": block})
            block += 1
        reason = {"stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None}
        closing: dict[str, Any] = {"type": "message_delta", "delta": reason}
        closing["usage"] = {"output_tokens": answer.tokens.output} if answer.reply.state_usage else {}
        yield _event(closing)
        yield _event({"type": "message_stop"})

    def _opened(self, index: int) -> dict[str, Any]:
        identifier = self._answer.identifier("toolu_", index)
        return {"type": "tool_use", "id": identifier, "name": self._answer.calls[index].name, "input": {}}

    @staticmethod
    def _delta(block: int, delta: dict[str, Any], characters: int) -> Piece:
        return _event({"type": "content_block_delta", "index": block, "delta": delta}, characters)

    def _input_usage(self) -> dict[str, Any]:
        tokens = self._answer.tokens
        return {
            "input_tokens": tokens.input - tokens.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": tokens.cached,
        }

    def _message(self, content: list[dict[str, Any]], reason: str | None, usage: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self._answer.identifier("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self._answer.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage if self._answer.reply.state_usage else {},
        }
