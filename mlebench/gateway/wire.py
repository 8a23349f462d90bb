"""What the model protocols look like on the wire, as far as the gateway and the scripted server need to know.

A request is read for its model, its texts (to estimate tokens where nobody states them) and its tools; an error is
written in the shape that the protocol's clients understand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any


class Speech(StrEnum):
    """A protocol, by the endpoint that it is spoken at."""

    CHAT = "openai-chat"
    RESPONSES = "openai-responses"
    COMPLETIONS = "openai-completions"
    EMBEDDINGS = "openai-embeddings"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"

    @property
    def family(self) -> str:
        """openai, anthropic or gemini: whose error shape and whose way of handing over the key it uses."""
        return "openai" if self.value.startswith("openai") else self.value


CHARACTERS_PER_TOKEN = 4


def estimated_tokens(characters: int) -> int:
    """Tokens of a text of this length, where no provider states them: a quarter, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def request_texts(speech: Speech, body: dict[str, Any]) -> list[str]:
    """The texts of a request's messages, oldest first, instructions before them."""
    return [text for text in (_text(message) for message in _messages(speech, body)) if text]


def _messages(speech: Speech, body: dict[str, Any]) -> Iterable[Any]:
    if speech is Speech.CHAT:
        return _listed(body.get("messages"))
    if speech is Speech.RESPONSES:
        return [body.get("instructions"), *_listed(body.get("input"))]
    if speech is Speech.ANTHROPIC:
        return [body.get("system"), *_listed(body.get("messages"))]
    if speech is Speech.GEMINI:
        system = body.get("systemInstruction", body.get("system_instruction"))
        embedded = [one.get("content") for one in _listed(body.get("requests")) if isinstance(one, dict)]
        return [system, *_listed(body.get("contents")), body.get("content"), *embedded]
    if speech is Speech.EMBEDDINGS:
        return _listed(body.get("input"))
    return _listed(body.get("prompt"))


_TEXT_KEYS = ("text", "content", "parts", "output", "arguments", "input", "functionResponse", "response", "result")
_CALL_KEYS = ("tool_calls", "function")


def _text(value: Any, depth: int = 0) -> str:
    """All text below a message, wherever the protocol puts it; what is nested too deep is left out."""
    if isinstance(value, str):
        return value
    if depth > 12 or value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(text for text in (_text(one, depth + 1) for one in value) if text)
    if isinstance(value, dict):
        keys = (*_TEXT_KEYS, *_CALL_KEYS)
        return "\n".join(text for text in (_text(value.get(key), depth + 1) for key in keys) if text)
    return ""


def request_tools(speech: Speech, body: dict[str, Any]) -> list[str]:
    """Names of the tools that a request offers (those without a name: their type)."""
    if speech is Speech.GEMINI:
        groups = [one for one in _listed(body.get("tools")) if isinstance(one, dict)]
        declared = [
            item
            for group in groups
            for item in _listed(group.get("functionDeclarations", group.get("function_declarations")))
        ]
        return [str(item.get("name")) for item in declared if isinstance(item, dict)]
    offered = [one for one in _listed(body.get("tools")) if isinstance(one, dict)]
    names = []
    for tool in offered:
        function = tool.get("function")
        named = function if isinstance(function, dict) else tool
        names.append(str(named.get("name") or tool.get("type")))
    return names + [str(one.get("name")) for one in _listed(body.get("functions")) if isinstance(one, dict)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


_OPENAI_TYPES = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_GEMINI_STATES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error_body(family: str, status: int, message: str, code: str | None = None) -> bytes:
    """An error as clients of the protocol family (openai, anthropic, gemini) expect it.

    `code` is a word for programs; where it is given it stands as type and code in every shape.
    """
    error: dict[str, Any]
    if family == "anthropic":
        error = {"type": code or _ANTHROPIC_TYPES.get(status, "api_error"), "message": message}
        if code:
            error["code"] = code
        return json.dumps({"type": "error", "error": error}).encode()
    if family == "gemini":
        error = {"code": status, "message": message, "status": _GEMINI_STATES.get(status, "INTERNAL")}
        if code:
            error |= {"type": code, "details": [{"reason": code}]}
        return json.dumps({"error": error}).encode()
    fallback = "server_error" if status >= 500 else "invalid_request_error"
    kind = code or _OPENAI_TYPES.get(status, fallback)
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
