"""The scripted model server: rules, protocols, faults, and a ledger that says what was sent."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from mlebench.errors import UsageError
from mlebench.scripted.script import load_script, parse_script
from mlebench.scripted.thread import Served, serve_in_thread

TOOL = {"type": "function", "function": {"name": "submit_review", "parameters": {}}}
RULES = [
    {"has_tool": "submit_review", "reply": {"tool": {"name": "submit_review", "arguments": {"is_bug": False}}}},
    {"match": "BROKEN", "reply": {"tool": {"name": "f", "arguments": '{"a": '}}},
    {"match": "BUSY", "replies": [{"status": 429, "headers": {"Retry-After": "0"}}, {"text": "at last"}]},
    {"match_last": "^again$", "replies": [{"text": "one"}, {"text": "two"}]},
    {"match": "USAGE", "reply": {"text": "x", "usage": {"input": 100, "output": 50, "cached": 60, "reasoning": 20}}},
    {"match": "DROP", "reply": {"text": "y" * 400, "drop_after": 3}},
    {"match": "GONE", "reply": {"drop": True}},
    {"match": "HANG", "reply": {"hang": True}},
    {"match": "LONG", "reply": {"text": "z" * 4000, "chunks": 100, "pace": 0.02}},
    {"no_tools": True, "match": "hello|HELLO", "reply": {"text": "good day to you"}},
]


@pytest.fixture(scope="module")
def served() -> Any:
    with serve_in_thread({"demo": {"rules": RULES}}) as server:
        yield server


def chat(served: Served, text: str, session: str = "s", **more: Any) -> requests.Response:
    body = {"model": "scripted/demo", "messages": [{"role": "user", "content": text}], **more}
    headers = {"X-Mlebench-Session": session}
    stream = bool(more.get("stream"))
    return requests.post(f"{served.url}/v1/chat/completions", json=body, headers=headers, timeout=10, stream=stream)


def events(response: requests.Response) -> list[Any]:
    lines = [line[6:] for line in response.content.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_first_rule_that_meets_the_request_answers(served: Served) -> None:
    assert chat(served, "hello").json()["choices"][0]["message"]["content"] == "good day to you"
    call = chat(served, "hello", tools=[TOOL]).json()["choices"][0]
    assert call["finish_reason"] == "tool_calls"
    assert json.loads(call["message"]["tool_calls"][0]["function"]["arguments"]) == {"is_bug": False}
    legacy = chat(served, "hello", functions=[TOOL["function"]]).json()["choices"][0]
    assert legacy["message"]["function_call"]["name"] == "submit_review"
    broken = chat(served, "BROKEN").json()["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    with pytest.raises(ValueError):
        json.loads(broken)
    refused = chat(served, "nothing of this kind")
    assert refused.status_code == 500 and refused.json()["error"]["code"] == "no_rule"
    unknown = requests.post(f"{served.url}/v1/responses", json={"model": "scripted/other", "input": "x"}, timeout=10)
    assert unknown.status_code == 404 and "demo" in unknown.json()["error"]["message"]


def test_sequences_are_kept_per_session(served: Served) -> None:
    said = [chat(served, "again", session).json()["choices"][0]["message"]["content"] for session in "aabab"]
    assert said == ["one", "two", "one", "two", "two"]


def test_statuses_and_headers(served: Served) -> None:
    first, second = chat(served, "BUSY", "busy"), chat(served, "BUSY", "busy")
    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (429, "0", 200)


def test_usage_in_each_protocols_own_terms(served: Served) -> None:
    usage = chat(served, "USAGE").json()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (100, 50)
    assert usage["prompt_tokens_details"]["cached_tokens"] == 60
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 20
    body: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "USAGE"}]}
    usage = requests.post(f"{served.url}/v1/messages", json=body, timeout=10).json()["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (40, 60, 50)
    contents = {"contents": [{"role": "user", "parts": [{"text": "USAGE"}]}]}
    url = f"{served.url}/v1beta/models/demo:generateContent"
    usage = requests.post(url, json=contents, timeout=10).json()["usageMetadata"]
    assert (usage["promptTokenCount"], usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (100, 30, 20)
    usage = requests.post(f"{served.url}/v1/responses", json={"model": "demo", "input": "USAGE"}, timeout=10).json()[
        "usage"
    ]
    assert (usage["input_tokens"], usage["output_tokens"]) == (100, 50)
    assert usage["input_tokens_details"]["cached_tokens"] == 60
    assert served.ledger.settled()[-1]["usage"] == {"input": 100, "output": 50, "cached": 60, "reasoning": 20}


def test_streams_say_the_same_as_plain_answers(served: Served) -> None:
    chunks = events(chat(served, "hello", stream=True))
    assert chunks[-1] == "[DONE]" and not any("usage" in chunk for chunk in chunks[:-1])
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1]) == "good day to you"
    chunks = events(chat(served, "hello", stream=True, stream_options={"include_usage": True}, tools=[TOOL]))
    assert chunks[-2]["usage"]["prompt_tokens"] == 2 and chunks[-2]["choices"] == []
    deltas = [call for chunk in chunks[:-2] for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert json.loads("".join(delta["function"]["arguments"] for delta in deltas)) == {"is_bug": False}

    body: dict[str, Any] = {"model": "demo", "input": "hello", "stream": True}
    chunks = events(requests.post(f"{served.url}/v1/responses", json=body, timeout=10))
    assert [chunk["sequence_number"] for chunk in chunks] == list(range(len(chunks)))
    assert chunks[-1]["response"]["output"][0]["content"][0]["text"] == "good day to you"

    body = {"model": "demo", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    chunks = events(requests.post(f"{served.url}/v1/messages", json=body, timeout=10))
    assert "".join(c["delta"]["text"] for c in chunks if c["type"] == "content_block_delta") == "good day to you"
    assert chunks[-2]["usage"]["output_tokens"] == 4

    url = f"{served.url}/v1beta/models/demo:streamGenerateContent"
    contents = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    chunks = events(requests.post(url, params={"alt": "sse"}, json=contents, timeout=10))
    assert chunks == requests.post(url, json=contents, timeout=10).json()[: len(chunks)] or len(chunks) == 2
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 6


def test_embeddings_are_the_same_for_the_same_text(served: Served) -> None:
    url = f"{served.url}/v1/embeddings"
    data = requests.post(url, json={"model": "demo", "input": ["a", "b", "a"], "dimensions": 8}, timeout=10).json()[
        "data"
    ]
    vectors = [one["embedding"] for one in data]
    assert vectors[0] == vectors[2] != vectors[1] and len(vectors[0]) == 8
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)
    assert requests.get(f"{served.url}/v1/models", timeout=10).json()["data"][0]["id"] == "demo"


def test_faults_of_the_connection(served: Served) -> None:
    with pytest.raises(requests.ConnectionError):
        chat(served, "GONE")
    with pytest.raises(requests.Timeout):
        body = {"model": "demo", "messages": [{"role": "user", "content": "HANG"}]}
        requests.post(f"{served.url}/v1/chat/completions", json=body, timeout=0.3)
    with pytest.raises(requests.RequestException):
        chat(served, "DROP", "dropped", stream=True).content  # noqa: B018
    (entry,) = [entry for entry in served.ledger.settled() if entry["session"] == "dropped"]
    # Three pieces: the opening one and two of 40 characters; estimated at four a token.
    assert not entry["whole"] and entry["usage"]["output"] == 20


def test_a_client_that_hangs_up_is_charged_what_was_written(served: Served) -> None:
    response = chat(served, "LONG", "leaver", stream=True)
    for line in response.iter_lines():
        if b"zzz" in line:
            break
    response.close()
    (mine,) = [entry for entry in served.ledger.settled() if entry["session"] == "leaver"]
    assert not mine["whole"] and 10 <= mine["usage"]["output"] < 1000


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ({"rules": []}, "rules"),
        ({"rules": [{"reply": {"txt": "x"}}]}, "rules.0.replies.0.txt: there is no such key"),
        ({"rules": [{"match": "(", "reply": {"text": "x"}}]}, "rules.0.match"),
        ({"rules": [{"match": "x"}]}, "rules.0.replies"),
        ([{"reply": {"status": 99}}], "rules.0.replies.0.status"),
    ],
)
def test_bad_scripts_are_named_in_one_sentence(script: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint.replace(".", r"\.").replace("(", r"\(")):
        parse_script(script)


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(UsageError, match="not valid JSON"):
        load_script(tmp_path / "demo.json")
    done = subprocess.run(
        [sys.executable, "-m", "mlebench.scripted", "--scripts", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and "demo.json" in done.stderr and "Traceback" not in done.stderr


def test_as_a_process_that_is_killed_and_started_again(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps({"rules": RULES}))
    log, port_file = tmp_path / "sent.jsonl", tmp_path / "port"

    def start() -> tuple[subprocess.Popen[bytes], str]:
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "mlebench.scripted", "--scripts", str(tmp_path), "--port-file", str(port_file)]
        process = subprocess.Popen([*command, "--log", str(log)], stdout=subprocess.DEVNULL, env=dict(os.environ))
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        return process, f"http://127.0.0.1:{int(port_file.read_text())}"

    def say(url: str) -> str:
        body = {"model": "demo", "messages": [{"role": "user", "content": "again"}]}
        answer = requests.post(
            f"{url}/v1/chat/completions", json=body, headers={"Authorization": "Bearer k"}, timeout=10
        )
        return str(answer.json()["choices"][0]["message"]["content"])

    process, url = start()
    assert say(url) == "one"
    process.send_signal(signal.SIGKILL)
    process.wait()
    with log.open("ab") as file:
        file.write(b'{"n": 1, "torn')
    process, url = start()
    try:
        assert say(url) == "two"  # the sequence goes on where it was
    finally:
        process.kill()
        process.wait()
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert [line["use"] for line in lines] == [1, 2] and "Bearer" not in log.read_text()


def test_nothing_listens_afterwards() -> None:
    with serve_in_thread({"demo": {"rules": RULES}}) as served:
        port = served.port
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_an_error_carries_its_word_for_programs() -> None:
    script = {"rules": [{"reply": {"status": 402, "error": "all spent", "code": "budget_exhausted"}}]}
    with serve_in_thread({"demo": script}) as served:
        error = chat(served, "anything").json()["error"]
    assert (error["code"], error["type"], error["message"]) == ("budget_exhausted", "budget_exhausted", "all spent")
