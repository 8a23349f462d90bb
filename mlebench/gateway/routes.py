"""The paths of the gateway: these, letter for letter, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mlebench.gateway.wire import Speech

_POSTS = {
    "/v1/chat/completions": (Speech.CHAT, "/chat/completions"),
    "/v1/responses": (Speech.RESPONSES, "/responses"),
    "/v1/completions": (Speech.COMPLETIONS, "/completions"),
    "/v1/embeddings": (Speech.EMBEDDINGS, "/embeddings"),
    "/anthropic/v1/messages": (Speech.ANTHROPIC, "/v1/messages"),
    "/anthropic/v1/messages/count_tokens": (Speech.ANTHROPIC, "/v1/messages/count_tokens"),
}
_VERSIONS = ("v1", "v1beta", "v1alpha")
"""Of Gemini's protocol; clients differ in the one they use."""
_LISTS = {
    "/v1/models": "openai",
    "/anthropic/v1/models": "anthropic",
    **{f"/gemini/{version}/models": "gemini" for version in _VERSIONS},
}
_NAME = r"[A-Za-z0-9@~][A-Za-z0-9._@~+:-]*"
MODEL_NAME = re.compile(rf"{_NAME}(?:/{_NAME})*")
"""What a model may be called in a path: no dots at a start, no empty parts, nothing to be decoded."""
_GEMINI = re.compile(
    rf"/gemini/(?P<version>{'|'.join(_VERSIONS)})/models/(?P<model>[^?#]+?):"
    r"(?P<method>generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)"
)
_FREE = ("/count_tokens", ":countTokens")


@dataclass(frozen=True)
class Route:
    """Where a request leads."""

    action: Literal["call", "models", "usage", "health"]
    family: str
    """Whose error shape is used."""
    speech: Speech | None = None
    suffix: str = ""
    """Of the provider's address; Gemini's begins with the method."""
    model: str | None = None
    """The model, where the path names it."""
    streams: bool | None = None
    """Whether the path says that the answer is a stream; None: the body says."""
    query: str = ""
    """What of the query is passed on."""
    version: str = ""
    """Of Gemini's protocol."""

    @property
    def generates(self) -> bool:
        """Whether tokens are taken: counting them is free."""
        return not self.suffix.endswith(_FREE)


def find_route(method: str, target: str) -> Route | None:
    """The route of a request's method and raw target; None where there is none."""
    path, _, query = target.partition("?")
    if method == "GET":
        if path in ("/health", "/usage"):
            return Route("health" if path == "/health" else "usage", "openai")
        return Route("models", _LISTS[path]) if path in _LISTS else None
    if method != "POST":
        return None
    if path in _POSTS:
        speech, suffix = _POSTS[path]
        beta = speech is Speech.ANTHROPIC and "beta=true" in query.split("&")
        return Route("call", speech.family, speech, suffix, query="beta=true" if beta else "")
    found = _GEMINI.fullmatch(path.replace("%2F", "/").replace("%2f", "/"))
    if found is None or not MODEL_NAME.fullmatch(found["model"]):
        return None
    streams = found["method"] == "streamGenerateContent"
    alt = "alt=sse" if "alt=sse" in query.split("&") else ""
    return Route("call", "gemini", Speech.GEMINI, f":{found['method']}", found["model"], streams, alt, found["version"])


def family_of(target: str) -> str:
    """Whose error shape suits a target that leads nowhere."""
    return next((name for name in ("anthropic", "gemini") if target.startswith(f"/{name}/")), "openai")
