"""What answers say of the tokens they took, read from whole answers and from streams as they pass by."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from mlebench.gateway.prices import Tokens
from mlebench.gateway.wire import Speech, estimated_tokens

_EVENT_END = re.compile(rb"\r?\n\r?\n")
_LARGEST_EVENT = 8 * 1024**2


class Statement:
    """Collects usage and the number of characters from the JSON objects of one answer."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._usage: dict[str, Any] = {}
        self._final = False
        self.characters = 0
        """Of text and tool arguments received."""
        self.failed = False
        """Whether the provider said in mid-stream that it failed."""

    def add(self, value: Any) -> bool:
        """Read a whole answer or one event of a stream; True for an event that holds nothing but usage."""
        if isinstance(value, list):  # Gemini's streams without alt=sse
            for one in value:
                self.add(one)
            return False
        if not isinstance(value, dict):
            return False
        if value.get("error") or value.get("type") in ("error", "response.failed"):
            self.failed = True
        if self._speech is Speech.ANTHROPIC:
            return self._anthropic(value)
        if self._speech is Speech.GEMINI:
            return self._gemini(value)
        if self._speech is Speech.RESPONSES:
            return self._responses(value)
        return self._openai(value)

    def tokens(self, request_characters: int) -> tuple[Tokens, bool]:
        """The tokens, and whether the provider stated them all; what it did not state is estimated."""
        reading = _READERS[self._speech](self._usage)
        if reading is not None and self._final:
            return reading, True
        written = estimated_tokens(self.characters)
        if reading is None:
            return Tokens(estimated_tokens(request_characters), written), False
        taken = reading.input or estimated_tokens(request_characters)
        return replace(reading, input=taken, output=max(reading.output, written)), False

    def _openai(self, value: dict[str, Any]) -> bool:
        grok = value.get("x_groq")
        usage = value.get("usage") or (grok.get("usage") if isinstance(grok, dict) else None)
        if isinstance(usage, dict):
            self._usage.update(usage)
            self._final = True
        choices = value.get("choices")
        if not isinstance(choices, list):
            return False
        for choice in choices:
            if isinstance(choice, dict):
                said = choice.get("delta") or choice.get("message") or choice.get("text")
                self.characters += _length(said)
        return not choices and isinstance(usage, dict)

    def _responses(self, value: dict[str, Any]) -> bool:
        kind = value.get("type")
        answer = value.get("response") if isinstance(kind, str) and kind.startswith("response.") else value
        if isinstance(answer, dict) and isinstance(answer.get("usage"), dict):
            self._usage.update(answer["usage"])
            self._final = True
        if isinstance(kind, str) and kind.endswith(".delta"):
            self.characters += _length(value.get("delta"))
        elif kind is None:
            self.characters += _length(value.get("output"))
        return False

    def _anthropic(self, value: dict[str, Any]) -> bool:
        message = value.get("message") if value.get("type") == "message_start" else value
        usage = message.get("usage") if isinstance(message, dict) else None
        if isinstance(usage, dict):
            self._usage.update({key: given for key, given in usage.items() if given is not None})
            self._final = self._final or (value.get("type") != "message_start" and "output_tokens" in usage)
        self.characters += _length(value.get("delta") or value.get("content"))
        return False

    def _gemini(self, value: dict[str, Any]) -> bool:
        usage = value.get("usageMetadata")
        candidates = value.get("candidates")
        candidates = candidates if isinstance(candidates, list) else []
        if isinstance(usage, dict):
            self._usage.update(usage)
            ended = any(isinstance(one, dict) and one.get("finishReason") for one in candidates)
            self._final = self._final or ended or "promptFeedback" in value
        self.characters += sum(_length(one.get("content")) for one in candidates if isinstance(one, dict))
        return False


class Stream:
    """Passes a stream of server-sent events on and reads it on the way."""

    def __init__(self, statement: Statement, strip_usage: bool) -> None:
        """`strip_usage`: leave out events that hold nothing but usage, which the agent did not ask for."""
        self._statement = statement
        self._strip = strip_usage
        self._rest = b""
        self._blind = False

    def feed(self, data: bytes) -> bytes:
        """Take what came, return what is to be passed on: the same bytes, unless something is stripped."""
        if self._blind:
            return data
        text = self._rest + data if self._rest else data
        start, kept = 0, []
        for found in _EVENT_END.finditer(text, max(len(self._rest) - 3, 0)):  # of what was there, an end's beginning
            event = text[start : found.end()]
            start = found.end()
            only_usage = self._read(event)
            if self._strip and not only_usage:
                kept.append(event)
        self._rest = text[start:]
        if len(self._rest) > _LARGEST_EVENT:
            self._blind = True
            kept.append(self._rest)
            self._rest = b""
        return b"".join(kept) if self._strip else data

    def end(self) -> bytes:
        """What is left at the end of the stream."""
        rest, self._rest = self._rest, b""
        if not rest:
            return b""
        only_usage = self._read(rest)
        return rest if self._strip and not only_usage else b""

    def _read(self, event: bytes) -> bool:
        lines = [line[5:] for line in event.splitlines() if line.startswith(b"data:")]
        data = b"\n".join(lines).strip()
        if not data.startswith(b"{"):
            return False
        try:
            return self._statement.add(json.loads(data))
        except (ValueError, RecursionError):
            return False


_ARGUMENTS = ("arguments", "partial_json", "input", "args", "text", "content", "thinking", "reasoning", "refusal")
_INSIDE = ("tool_calls", "function_call", "function", "functionCall", "parts", "reasoning_content", "summary")


def _length(value: Any, depth: int = 0) -> int:
    """Characters of text and arguments in a piece of an answer."""
    if isinstance(value, str):
        return len(value)
    if depth > 8:
        return 0
    if isinstance(value, list):
        return sum(_length(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return 0
    total = 0
    for key in _ARGUMENTS:
        inner = value.get(key)
        if key in ("input", "args") and isinstance(inner, dict):
            total += len(json.dumps(inner)) if inner else 0
        elif inner is not None:
            total += _length(inner, depth + 1)
    return total + sum(_length(value[key], depth + 1) for key in _INSIDE if key in value)


def _number(facts: Any, *names: str) -> int:
    """The first of these counts that is there; anything but a count is none."""
    for name in names:
        found = facts.get(name) if isinstance(facts, dict) else None
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**12:
            return found
    return 0


def _read_openai(usage: dict[str, Any]) -> Tokens | None:
    if "prompt_tokens" not in usage:
        return None
    taken, made = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    reasoning = _number(usage.get("completion_tokens_details"), "reasoning_tokens")
    cached = _number(usage.get("prompt_tokens_details"), "cached_tokens") or _number(usage, "prompt_cache_hit_tokens")
    # Some count reasoning in the total only.
    made = max(made, _number(usage, "total_tokens") - taken)
    return Tokens(taken, made, min(cached, taken), min(reasoning, made))


def _read_responses(usage: dict[str, Any]) -> Tokens | None:
    if "input_tokens" not in usage:
        return None
    taken, made = _number(usage, "input_tokens"), _number(usage, "output_tokens")
    cached = _number(usage.get("input_tokens_details"), "cached_tokens")
    reasoning = _number(usage.get("output_tokens_details"), "reasoning_tokens")
    return Tokens(taken, made, min(cached, taken), min(reasoning, made))


def _read_anthropic(usage: dict[str, Any]) -> Tokens | None:
    if "input_tokens" not in usage:
        return None
    cached, write = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
    taken = _number(usage, "input_tokens") + cached + write
    hour = min(_number(usage.get("cache_creation"), "ephemeral_1h_input_tokens"), write)
    return Tokens(taken, _number(usage, "output_tokens"), cached, 0, write, hour)


def _read_gemini(usage: dict[str, Any]) -> Tokens | None:
    if "promptTokenCount" not in usage:
        return None
    taken = _number(usage, "promptTokenCount") + _number(usage, "toolUsePromptTokenCount")
    reasoning = _number(usage, "thoughtsTokenCount")
    made = _number(usage, "candidatesTokenCount") + reasoning
    return Tokens(taken, made, min(_number(usage, "cachedContentTokenCount"), taken), reasoning)


_READERS = {
    Speech.CHAT: _read_openai,
    Speech.COMPLETIONS: _read_openai,
    Speech.EMBEDDINGS: _read_openai,
    Speech.RESPONSES: _read_responses,
    Speech.ANTHROPIC: _read_anthropic,
    Speech.GEMINI: _read_gemini,
}
