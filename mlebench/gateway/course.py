"""How a call went, and its line in the log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from mlebench.gateway.asks import Ask
from mlebench.gateway.prices import Tokens
from mlebench.gateway.recordings import Place


@dataclass
class Course:
    """How a call went so far; becomes its line in the log."""

    ask: Ask
    place: Place | None
    """Of the request among the attempt's, where answers are recorded."""
    bytes_in: int
    started: float = field(default_factory=time.monotonic)
    status: int = 0
    outcome: str = "cut"
    """ok, error, hung_up (the agent went away), broken (the provider broke off), cut (the attempt ended); lost is written
    later, for a call that was in flight when the gateway was killed."""
    error: str | None = None
    retries: int = 0
    first_byte: float | None = None
    bytes_out: int = 0
    reached: bool = False
    """Whether the provider took the request, so that it may cost something."""

    def sent(self, data: bytes) -> None:
        """Note bytes that came from the provider."""
        if self.first_byte is None:
            self.first_byte = time.monotonic() - self.started
        self.bytes_out += len(data)


def line(course: Course, tokens: Tokens, metered: bool, usd: float | None, replayed: bool) -> dict[str, Any]:
    """A call as it stands in the log: no word of request or answer."""
    ask = course.ask
    return {
        "model": ask.reference,
        "speech": ask.speech.value,
        "path": ask.route.suffix,
        "stream": ask.stream,
        "status": course.status,
        "outcome": course.outcome,
        "error": course.error,
        "tokens_in": tokens.input,
        "tokens_out": tokens.output,
        "tokens_cached": tokens.cached,
        "tokens_reasoning": tokens.reasoning,
        "tokens_cache_write": tokens.cache_write,
        "usd": usd,
        "metered": metered,
        "replayed": replayed,
        "retries": course.retries,
        "seconds": round(time.monotonic() - course.started, 6),
        "first_byte": None if course.first_byte is None else round(course.first_byte, 6),
        "bytes_in": course.bytes_in,
        "bytes_out": course.bytes_out,
        **({"request": course.place.request, "shape": course.place.shape} if course.place else {}),
    }
