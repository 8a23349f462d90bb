"""chat.py against a server on this machine: patience, refusals, budgets, models that refuse parameters."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from agentkit.chat import Answer, BudgetExhausted, ChatModel, ModelFailure, PromptTooLong, RequestRefused, ToolsRefused
from agentkit.contract import Clock

from mlebench.scripted.thread import Served, serve_in_thread

PROMPT = [{"role": "user", "content": "hello"}]


@contextmanager
def served(*replies: dict[str, Any], rules: list[dict[str, Any]] | None = None) -> Iterator[Served]:
    with serve_in_thread({"demo": {"rules": rules or [{"replies": list(replies)}]}}) as server:
        yield server


def client(server: Served, tmp_path: Path, **options: Any) -> ChatModel:
    clock = options.pop("clock", Clock(None))
    return ChatModel(f"{server.url}/v1", "key", clock, tmp_path / "usage.jsonl", **options)


def ask(model: ChatModel, **parameters: Any) -> Answer:
    return model.ask("scripted/demo", PROMPT, role="code", **parameters)


def log(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "usage.jsonl").read_text().splitlines()]


def test_text_tool_and_usage(tmp_path: Path) -> None:
    tool = {"name": "review", "arguments": {"metric": 1}}
    with served({"text": "hi", "usage": {"input": 12, "output": 3}}, {"tool": tool}) as server:
        model = client(server, tmp_path)
        answer = ask(model, temperature=0.5, max_tokens=None)
        assert (answer.text, answer.tool, answer.tokens_in, answer.tokens_out) == ("hi", None, 12, 3)
        called = ask(model).tool
        assert called is not None and called[0] == "review" and json.loads(called[1]) == {"metric": 1}
    assert [entry["model"] for entry in server.ledger.entries] == ["scripted/demo"] * 2
    assert log(tmp_path)[0]["tokens_in"] == 12


def test_failures_pass(tmp_path: Path) -> None:
    faults = [{"status": 500}, {"status": 429, "headers": {"Retry-After": "0.1"}}, {"drop": True}]
    with served(*faults, {"text": "at last"}) as server:
        assert ask(client(server, tmp_path)).text == "at last"
    assert [line["tries"] for line in log(tmp_path)] == [1, 2, 3, 4]


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}, {"hang": True}, {"text": "late", "delay": 30}])
def test_patience_has_an_end(fault: dict[str, Any], tmp_path: Path) -> None:
    started = time.monotonic()
    with served(fault) as server, pytest.raises(ModelFailure, match="kept failing"):
        ask(client(server, tmp_path, timeout=0.5, patience=1.5))
    assert time.monotonic() - started < 10


def test_a_short_time_limit_shortens_patience(tmp_path: Path) -> None:
    started = time.monotonic()
    with served({"status": 503}) as server, pytest.raises(ModelFailure):
        ask(client(server, tmp_path, clock=Clock(8, age=0)))
    assert time.monotonic() - started < 5


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelFailure, match="Refused"):
        ask(ChatModel(url, "key", Clock(None), tmp_path / "usage.jsonl", patience=0.5))
    with pytest.raises(ModelFailure, match="OPENAI_BASE_URL"):
        ChatModel("", "key", Clock(None), tmp_path / "usage.jsonl")


def test_a_used_up_budget_is_no_failure_and_not_retried(tmp_path: Path) -> None:
    reply = {"status": 429, "code": "budget_exhausted", "error": "1.00 of 1.00 dollars are spent"}
    refusal = {**reply, "headers": {"x-should-retry": "false"}}
    with served(refusal) as server, pytest.raises(BudgetExhausted, match="dollars"):
        ask(client(server, tmp_path))
    assert len(server.ledger.entries) == 1


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, "wrong key", ModelFailure),
        (404, "no such model", ModelFailure),
        (400, "content policy", RequestRefused),
        (400, "This model's maximum context length is 8192 tokens", PromptTooLong),
        (413, "too big", PromptTooLong),
    ],
)
def test_refusals_are_told_apart(status: int, error: str, kind: type[Exception], tmp_path: Path) -> None:
    with served({"status": status, "error": error}) as server, pytest.raises(kind) as caught:
        ask(client(server, tmp_path))
    assert type(caught.value) is kind and error in str(caught.value)
    assert len(server.ledger.entries) == 1


def test_parameters_that_a_model_refuses_are_left_out_from_then_on(tmp_path: Path) -> None:
    replies = [
        {"status": 400, "error": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."},
        {"status": 400, "error": "'temperature' does not support 0.5 with this model."},
        {"status": 400, "error": "Function calling is not supported by this model."},
        {"text": "plain"},
        {"text": "again"},
    ]
    tool = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
    with served(*replies) as server:
        model = client(server, tmp_path)
        parameters = {"max_tokens": 99, "temperature": 0.5, "tools": [tool], "tool_choice": "auto", "stop": ["x"]}
        with pytest.raises(ToolsRefused):  # whoever asks has to put it into words now
            ask(model, **parameters)
        assert [ask(model, **parameters).text for _ in range(2)] == ["plain", "again"]
        assert not model.offers("scripted/demo", "tools") and model.offers("scripted/other", "tools")
    assert len(server.ledger.entries) == 5
