"""An answer on its way out: a reply with its tokens, and the pieces that a stream is cut into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlebench.gateway.wire import estimated_tokens
from mlebench.scripted.script import Reply, ToolCall

_PIECE = 40


@dataclass(frozen=True)
class Tokens:
    """How many tokens an answer takes; cached is part of input, reasoning part of output."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Piece:
    """One event of a stream."""

    data: bytes
    characters: int = 0
    """Characters of text or arguments in it."""


@dataclass(frozen=True)
class Answer:
    """What the renderers of the protocols are given."""

    model: str
    """As the request names it."""
    number: int
    """Of the request; identifiers are made of it, so that a script always gives the same bytes."""
    created: int
    reply: Reply
    tokens: Tokens

    @property
    def text(self) -> str | None:
        return self.reply.text

    @property
    def calls(self) -> list[ToolCall]:
        return self.reply.tool

    def identifier(self, prefix: str, index: int = 0) -> str:
        """An identifier that is unique on this server."""
        return f"{prefix}{self.number:08d}{index:04d}"

    def text_pieces(self) -> Iterator[str]:
        """The text as it is streamed."""
        yield from _cut(self.text or "", self.reply.chunks)


def argument_pieces(call: ToolCall) -> Iterator[str]:
    """A call's arguments as they are streamed."""
    yield from _cut(call.text, None)


def _cut(text: str, parts: int | None) -> Iterator[str]:
    if parts is None:
        for start in range(0, len(text), _PIECE):
            yield text[start : start + _PIECE]
        return
    for index in range(parts):
        piece = text[index * len(text) // parts : (index + 1) * len(text) // parts]
        if piece:
            yield piece


def tokens_of(reply: Reply, request_characters: int) -> Tokens:
    """What the reply states, or the estimate."""
    answered = len(reply.text or "") + sum(len(call.text) for call in reply.tool)
    stated = reply.usage
    if stated is None:
        return Tokens(estimated_tokens(request_characters), estimated_tokens(answered))
    given = stated.input if stated.input is not None else estimated_tokens(request_characters) + stated.cached
    made = stated.output if stated.output is not None else estimated_tokens(answered) + stated.reasoning
    return Tokens(given, made, min(stated.cached, given), min(stated.reasoning, made))


def tokens_written(answer: Answer, characters: int, whole: bool) -> Tokens:
    """The tokens of what was written before the client went away."""
    if whole:
        return answer.tokens
    total = len(answer.text or "") + sum(len(call.text) for call in answer.calls)
    if answer.reply.usage is None or answer.reply.usage.output is None or total == 0:
        made = estimated_tokens(characters)
    else:
        made = answer.tokens.output * characters // total
    return Tokens(answer.tokens.input, made, answer.tokens.cached, min(answer.tokens.reasoning, made))
