"""A small client for the gateway's chat completions: bounded patience, every call written down.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agentkit.contract import Clock, Surroundings, append_line

_LONGEST_PAUSE = 60.0
_TOO_LONG = re.compile(
    r"context.{0,20}(length|window)|maximum context|too long|too many (input )?tokens", re.IGNORECASE
)
_ADAPTATIONS = 8
"""How often one request is put in other terms for a model that refuses a parameter."""


class ModelFailure(Exception):
    """The model kept failing, or will never answer: wrong key, unknown model."""


class BudgetExhausted(Exception):
    """The gateway says that the attempt's dollars, tokens or calls are used up."""


class RequestRefused(Exception):
    """The model refuses this one request; another may fare better."""


class ToolsRefused(RequestRefused):
    """The model takes no functions; from now on they are left out, so the prompt has to ask in words."""


class PromptTooLong(RequestRefused):
    """The request is longer than the model can take."""


@dataclass(frozen=True)
class Answer:
    """What a model said."""

    text: str
    tool: tuple[str, str] | None
    """Name and arguments (JSON as sent, well-formed or not) of the first function called."""
    tokens_in: int
    tokens_out: int
    finish: str | None
    seconds: float


class _Transient(Exception):
    """Worth another try after a pause (seconds, where the server asked for one)."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class _Refused(Exception):
    """The server's error answer, not worth the same try again."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(f"HTTP {status}: {str(error.get('message') or error)[:300]}")
        self.status, self.error = status, error


class ChatModel:
    """Asks models through one OpenAI-compatible endpoint."""

    def __init__(
        self, base_url: str, key: str, clock: Clock, log: Path, *, timeout: float = 1200.0, patience: float = 3600.0
    ) -> None:
        """`timeout`: seconds for one try; `patience`: for how long a call may fail before it is a ModelFailure."""
        if not base_url:
            raise ModelFailure("There is no model endpoint: OPENAI_BASE_URL is not set.")
        self._url = urlsplit(base_url.rstrip("/") + "/chat/completions")
        self._key, self._clock, self._log = key, clock, log
        self._timeout = timeout
        self._patience = patience if clock.limit is None else min(patience, 0.25 * clock.limit)
        self._dropped: dict[str, set[str]] = {}
        self._random = random.Random()
        self.step = 0
        """Written with every call."""

    @classmethod
    def of(cls, around: Surroundings, clock: Clock, *, timeout: float = 1200.0, patience: float = 3600.0) -> ChatModel:
        """The attempt's own endpoint and key; calls are written to usage.jsonl among its logs."""
        env = around.environment
        url, key = env.get("OPENAI_BASE_URL", ""), env.get("OPENAI_API_KEY", "")
        return cls(url, key, clock, around.logs / "usage.jsonl", timeout=timeout, patience=patience)

    def ask(self, model: str, messages: list[dict[str, str]], *, role: str, **parameters: Any) -> Answer:
        """One completion. `parameters` are those of the protocol; those that are None are not sent.

        Raises BudgetExhausted, PromptTooLong, RequestRefused (for this request) and ModelFailure (for good).
        """
        started, tries, pause = time.monotonic(), 0, 1.0
        for adapted in range(_ADAPTATIONS + 1):
            body = self._body(model, messages, parameters)
            while True:
                tries += 1
                try:
                    answer = self._try(body, time.monotonic())
                except _Transient as problem:
                    self._note(role, model, started, tries, error=str(problem))
                    failing = time.monotonic() - started
                    if failing + pause > self._patience:
                        raise ModelFailure(
                            f"{model} kept failing for {failing:.0f} s ({tries} tries): {problem}"
                        ) from None
                    wait = pause if problem.pause is None else min(max(problem.pause, 0.0), _LONGEST_PAUSE)
                    time.sleep(min(wait * self._random.uniform(0.8, 1.2), self._clock.left()))
                    pause = min(pause * 2, _LONGEST_PAUSE)
                except _Refused as refusal:
                    self._note(role, model, started, tries, error=str(refusal))
                    if adapted == _ADAPTATIONS or not self._adapt(model, body, refusal):
                        raise _meaning(refusal) from None
                    if "tools" in body and not self.offers(model, "tools"):
                        raise ToolsRefused(str(refusal)) from None
                    break
                else:
                    self._note(role, model, started, tries, answer=answer)
                    return answer
        raise AssertionError("unreachable")

    def offers(self, model: str, parameter: str) -> bool:
        """Whether the model has not refused this parameter so far."""
        return parameter not in self._dropped.get(model, ())

    def _body(self, model: str, messages: list[dict[str, str]], parameters: Mapping[str, Any]) -> dict[str, Any]:
        dropped = self._dropped.get(model, set())
        body = {"model": model, "messages": messages}
        for name, value in parameters.items():
            if name == "max_tokens" and name in dropped:
                name = "max_completion_tokens"
            if value is not None and name not in dropped:
                body[name] = value
        return body

    def _adapt(self, model: str, body: Mapping[str, Any], refusal: _Refused) -> bool:
        """Leave out, from now on, a parameter that the model refuses; False where it is about something else."""
        if refusal.status not in (400, 422):
            return False
        message = str(refusal.error.get("message") or "").lower()
        named = str(refusal.error.get("param") or "").lower()
        for name in ("max_completion_tokens", "max_tokens", "temperature", "stop", "tool_choice", "tools"):
            spoken = re.search(rf"\b{name}\b", message) or (name == "tools" and "function call" in message)
            if name in body and (named == name or spoken):
                self._dropped.setdefault(model, set()).add(name)
                if name == "tools":
                    self._dropped[model].add("tool_choice")
                return True
        return False

    def _try(self, body: Mapping[str, Any], started: float) -> Answer:
        status, headers, raw = self._post(json.dumps(body).encode())
        try:
            content = json.loads(raw)
        except ValueError:
            content = None
        if status != 200:
            raw_error = content.get("error") if isinstance(content, dict) else None
            error = raw_error if isinstance(raw_error, dict) else {"message": raw[:300].decode("utf-8", "replace")}
            refusal = _Refused(status, error)
            final = headers.get("x-should-retry", "").lower() == "false" or _budget(error)
            if not final and (status in (408, 409, 425, 429) or status >= 500):
                raise _Transient(str(refusal), _seconds(headers.get("retry-after")))
            raise refusal
        try:
            return _read(content, body, time.monotonic() - started)
        except (KeyError, IndexError, TypeError, AttributeError):
            raise _Transient("the answer is no chat completion") from None

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        seconds = max(0.1, min(self._timeout, self._clock.left()))
        connection = kind(self._url.hostname or "localhost", self._url.port, timeout=seconds)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        try:
            connection.request("POST", self._url.path, body, headers)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        except TimeoutError:
            raise _Transient(f"no answer within {seconds:.0f} s") from None
        except (OSError, http.client.HTTPException, socket.gaierror) as problem:
            raise _Transient(f"{type(problem).__name__}: {problem}") from None
        finally:
            connection.close()

    def _note(
        self, role: str, model: str, started: float, tries: int, *, answer: Answer | None = None, error: str = ""
    ) -> None:
        facts: dict[str, Any] = {"at": round(self._clock.passed(), 2), "step": self.step, "role": role, "model": model}
        if answer is not None:
            facts |= {"tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out, "finish": answer.finish}
        else:
            facts["error"] = error
        append_line(self._log, facts | {"seconds": round(time.monotonic() - started, 3), "tries": tries})


def _read(content: Any, body: Mapping[str, Any], seconds: float) -> Answer:
    choice = content["choices"][0]
    message = choice["message"]
    text = message.get("content") or ""
    if not isinstance(text, str):
        text = "".join(part.get("text") or "" for part in text)
    calls = message.get("tool_calls") or []
    tool = (str(calls[0]["function"]["name"]), str(calls[0]["function"]["arguments"])) if calls else None
    usage = content.get("usage") or {}
    sent = sum(len(str(one.get("content"))) for one in body["messages"])
    return Answer(
        text=text,
        tool=tool,
        tokens_in=int(usage.get("prompt_tokens") or sent // 4),
        tokens_out=int(usage.get("completion_tokens") or (len(text) + len(tool[1] if tool else "")) // 4),
        finish=choice.get("finish_reason"),
        seconds=seconds,
    )


def _budget(error: Mapping[str, Any]) -> bool:
    return "budget_exhausted" in (error.get("type"), error.get("code"))


def _meaning(refusal: _Refused) -> Exception:
    if _budget(refusal.error):
        return BudgetExhausted(str(refusal.error.get("message") or "The budget is used up."))
    if refusal.status in (401, 402, 403, 404, 405):
        return ModelFailure(str(refusal))
    told = f"{refusal.error.get('code')} {refusal.error.get('message')}"
    if refusal.status == 413 or "context_length_exceeded" in told or _TOO_LONG.search(told):
        return PromptTooLong(str(refusal))
    return RequestRefused(str(refusal))


def _seconds(header: str | None) -> float | None:
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
