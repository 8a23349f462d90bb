"""A scripted provider with a rule for every case, and an attempt as its agent sees it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import requests

from mlebench.gateway.api import Ticket, Usage
from mlebench.gateway.launcher import Gateway
from mlebench.gateway.limits import Limits
from mlebench.scripted.thread import Served

SECRETS = {
    "OPENAI_API_KEY": "sk-openai-0123456789-secret",
    "ANTHROPIC_API_KEY": "sk-ant-0123456789-secret",
    "GEMINI_API_KEY": "AIza-0123456789-secret",
}
KEY = "attempt-key-5b1c"
PATIENCE = Limits(
    backoff_seconds=0.02, backoff_most_seconds=0.05, retry_seconds=2.0, tries=4, silence_seconds=1.5, drain_seconds=20.0
)
"""Real waits would make the tests long."""

USAGE = {"input": 100, "output": 50, "cached": 60, "reasoning": 20}
TOOL_CALL = {"name": "look", "arguments": {"path": "/home/data", "deep": True}}
RULES: list[dict[str, Any]] = [
    {"match": "STATED", "reply": {"text": "stated", "usage": USAGE, "chunks": 3}},
    {"match": "SILENT", "reply": {"text": "says nothing of tokens", "state_usage": False}},
    {"match": "LONG", "reply": {"text": "word " * 400, "chunks": 40, "pace": 0.02, "usage": {"output": 777}}},
    {"match": "SHORT STREAM", "reply": {"text": "word " * 40, "chunks": 8, "pace": 0.01}},
    {"match": "BREAKS", "reply": {"text": "word " * 40, "chunks": 10, "drop_after": 5}},
    {"match": "BUSY TWICE", "replies": [{"status": 429}, {"status": 503}, {"text": "at last"}]},
    {"match": "ADVISED FAR", "reply": {"status": 429, "headers": {"Retry-After": "3600"}, "error": "come back later"}},
    {"match": "ADVISED", "replies": [{"status": 429, "headers": {"Retry-After": "0.3"}}, {"text": "rested"}]},
    {"match": "NO MONEY", "reply": {"status": 429, "error": "insufficient_quota: pay first"}},
    {"match": "ALWAYS DOWN", "reply": {"status": 500, "error": "boom"}},
    {"match": "GONE ONCE", "replies": [{"drop": True}, {"text": "back"}]},
    {"match": "ALWAYS GONE", "reply": {"drop": True}},
    {"match": "TOO MUCH", "reply": {"status": 400, "error": "context too long"}},
    {"match": "VERY SLOW STREAM", "reply": {"text": "word " * 400, "chunks": 100, "pace": 0.3}},
    {"match": "STALLS", "reply": {"text": "word " * 40, "chunks": 4, "pace": 5}},
    {"match": "HANGS", "reply": {"hang": True}},
    {"match": "SLOW", "reply": {"text": "slow", "delay": 0.3, "usage": {"input": 10, "output": 10}}},
    {"match": "AGAIN", "replies": [{"text": "one"}, {"text": "two"}, {"text": "three"}]},
    {"has_tool": "look", "reply": {"tool": TOOL_CALL}},
    {"reply": {"text": "plain answer"}},
]


def providers_file(path: Path, url: str) -> Path:
    """Own providers file that leads OpenAI, Anthropic and Gemini to the scripted provider."""
    openai = "\n".join(f'openai-{kind} = "{url}/v1"' for kind in ("chat", "responses", "completions", "embeddings"))
    path.write_text(
        f"[providers.openai.speaks]\n{openai}\n"
        f'[providers.anthropic.speaks]\nanthropic = "{url}"\nopenai-chat = "{url}/v1"\n'
        f'[providers.gemini.speaks]\ngemini = "{url}"\n'
        f'[providers.local]\nkey = "none"\nfree = true\n[providers.local.speaks]\nopenai-chat = "{url}/v1"\n'
        f'[providers.dead]\nkey = "none"\n[providers.dead.speaks]\nopenai-chat = "http://127.0.0.1:{closed_port()}"\n'
        f'[providers.nokey]\nkeys = ["NOKEY_API_KEY"]\n[providers.nokey.speaks]\nopenai-chat = "{url}/v1"\n'
    )
    return path


def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Attempt:
    """An admitted attempt and its agent's view."""

    gateway: Gateway
    ticket: Ticket
    url: str
    key: str = KEY
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, path: str, body: Any, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        return self.session.post(self.url + path, json=body, headers=headers, timeout=30, **more)

    def chat(self, text: str, model: str = "openai/demo", **more: Any) -> requests.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body, stream=bool(more.get("stream")))

    def get(self, path: str) -> Any:
        return self.session.get(self.url + path, headers={"Authorization": f"Bearer {self.key}"}, timeout=30).json()

    @property
    def usage(self) -> Usage:
        return self.gateway.usage(self.ticket.attempt)

    def usage_when(self, condition: Callable[[Usage], bool]) -> Usage:
        """The usage as soon as it is like this: it is told a moment after the answer."""
        deadline = time.monotonic() + 15
        while not condition(self.usage):
            assert time.monotonic() < deadline, self.usage
            time.sleep(0.01)
        return self.usage

    def lines(self, event: str = "call") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.ticket.log.read_bytes().splitlines()]
        return [line for line in lines if line["event"] == event]


@dataclass
class World:
    """The scripted provider, the gateway, and a way to admit attempts."""

    folder: Path
    provider: Served
    gateway: Gateway
    numbers: Iterator[int] = field(default_factory=count)

    def admit(self, **facts: Any) -> Attempt:
        name = f"attempt-{next(self.numbers)}"
        ticket = Ticket(name, KEY, self.folder / f"{name}.jsonl", "openai/demo")
        ticket = replace(ticket, **facts)
        door = self.gateway.admit(ticket)
        return Attempt(self.gateway, ticket, f"http://127.0.0.1:{door.port}")

    def sent_since(self, start: int) -> dict[str, int]:
        """What the provider says it sent: sums of tokens of its entries from number `start` on."""
        names = ("input", "output", "cached", "reasoning")
        entries = [entry["usage"] for entry in self.provider.ledger.settled()[start:] if entry["usage"]]
        return {name: sum(usage[name] for usage in entries) for name in names}


def tokens(usage: Usage) -> dict[str, int]:
    """The gateway's count in the provider's words."""
    return {
        "input": usage.tokens_in,
        "output": usage.tokens_out,
        "cached": usage.tokens_cached,
        "reasoning": usage.tokens_reasoning,
    }
