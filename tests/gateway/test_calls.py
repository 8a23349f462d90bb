"""Calls through the gateway: the same answers as without it, and usage equal to what the provider sent."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from gateway_world import KEY, Attempt, World, tokens

from mlebench.chain import verify_chain

SAY = {"messages": [{"role": "user", "content": "{text}"}], "max_tokens": 100}
PARTS = {"contents": [{"role": "user", "parts": [{"text": "{text}"}]}]}
PLACES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", "/v1/chat/completions", {"model": "openai/demo", **SAY}),
    "responses": ("/v1/responses", "/v1/responses", {"model": "openai/demo", "input": "{text}"}),
    "completions": ("/v1/completions", "/v1/completions", {"model": "openai/demo", "prompt": "{text}"}),
    "anthropic": ("/anthropic/v1/messages", "/v1/messages", {"model": "anthropic/demo", **SAY}),
    "gemini": ("/gemini/v1alpha/models/gemini/demo:generateContent", "/v1alpha/models/demo:generateContent", PARTS),
    "gemini-sse": (
        "/gemini/v1beta/models/gemini/demo:streamGenerateContent?alt=sse",
        "/v1beta/models/demo:streamGenerateContent?alt=sse",
        PARTS,
    ),
    "gemini-list": (
        "/gemini/v1/models/gemini%2Fdemo:streamGenerateContent",
        "/v1/models/demo:streamGenerateContent",
        PARTS,
    ),
}
STREAMED = ("chat", "responses", "completions", "anthropic")


def filled(body: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    return {**json.loads(json.dumps(body).replace("{text}", text)), **more}


def alike(content: bytes) -> str:
    """An answer without the numbers that the scripted provider counts up."""
    return re.sub(r'(_|-|resp)\d{12}|"created(_at)?": \d+', "N", content.decode())


@pytest.mark.parametrize("place", [*PLACES, *(f"{name} stream" for name in STREAMED)])
@pytest.mark.parametrize("text", ["STATED", "say something", "use a tool"])
def test_answers_are_passed_on_byte_for_byte(world: World, attempt: Attempt, place: str, text: str) -> None:
    name, _, stream = place.partition(" ")
    path, direct, body = PLACES[name]
    body = filled(body, text, **({"stream": True} if stream else {}))
    if text == "use a tool" and name != "completions":
        plain = {"name": "look", "description": "d", "parameters": {"type": "object"}}
        body["tools"] = {
            "chat": [{"type": "function", "function": plain}],
            "responses": [{"type": "function", **plain}],
            "anthropic": [{"name": "look", "input_schema": {"type": "object"}}],
        }.get(name, [{"functionDeclarations": [plain]}])
    start = len(world.provider.ledger.settled())
    answer = attempt.post(path, body)
    assert answer.status_code == 200, answer.text
    wanted = requests.post(world.provider.url + direct, json={**body, "model": "demo"}, timeout=30)
    got = alike(answer.content)
    if place in ("chat stream", "completions stream"):
        got = got.replace(', "usage": null', "")  # each chunk says so once the stream was asked for its usage
    assert got == alike(wanted.content)
    assert answer.headers["Content-Type"] == wanted.headers["Content-Type"]
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    sent = world.provider.ledger.settled()[start]["usage"]
    assert tokens(usage) == sent and usage.unmetered == 0


def test_usage_that_the_agent_asked_for_is_left_in(attempt: Attempt) -> None:
    answer = attempt.chat("STATED", stream=True, stream_options={"include_usage": True})
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert chunks[-1]["usage"]["prompt_tokens"] == 100 and chunks[-1]["choices"] == []
    without = attempt.chat("STATED", stream=True)
    assert "prompt_tokens" not in without.text and without.text.endswith("data: [DONE]\n\n")


def test_cost_follows_the_price_file(attempt: Attempt) -> None:
    attempt.chat("STATED")
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert usage.usd == pytest.approx((40 * 10_000 + 60 * 1_000 + 50 * 20_000) / 1e6)
    attempt.chat("STATED", "local/demo")
    usage = attempt.usage_when(lambda usage: usage.calls == 2)
    assert usage.models == {"openai/demo": 1, "local/demo": 1} and usage.unpriced == []
    attempt.post("/anthropic/v1/messages", filled(PLACES["anthropic"][2], "STATED"))
    usage = attempt.usage_when(lambda usage: usage.calls == 3)
    assert usage.usd is None and usage.unpriced == ["anthropic/demo"]
    assert usage.prices and "genai-prices" in usage.prices and "prices.toml" in usage.prices


def test_what_is_not_stated_is_estimated_and_counted(world: World, attempt: Attempt) -> None:
    start = len(world.provider.ledger.settled())
    attempt.chat("SILENT")
    assert attempt.chat("SILENT", stream=True).content
    usage = attempt.usage_when(lambda usage: usage.calls == 2)
    assert usage.unmetered == 2 and tokens(usage) == world.sent_since(start)


def hang_up(attempt: Attempt, path: str, body: dict[str, Any], after: int = 3) -> None:
    """Read some pieces of a stream, then go away."""
    answer = attempt.post(path, body, stream=True)
    for number, _ in enumerate(answer.iter_content(None)):
        if number >= after:
            break
    answer.raw.close()
    answer.close()


@pytest.mark.parametrize("place", [*STREAMED, "gemini-sse", "gemini-list"])
def test_usage_is_exact_when_the_agent_hangs_up(world: World, attempt: Attempt, place: str) -> None:
    path, _, body = PLACES[place]
    start = len(world.provider.ledger.settled())
    hang_up(attempt, path, filled(body, "LONG", **({} if "gemini" in place else {"stream": True})))
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert tokens(usage) == world.sent_since(start) and usage.tokens_out == 777
    assert usage.unmetered == 0 and usage.errors == 0
    assert attempt.lines()[0]["outcome"] == "hung_up"


@pytest.mark.parametrize("place", [*STREAMED, "gemini-sse"])
def test_a_stream_that_breaks_off_is_broken_off_and_counted(world: World, attempt: Attempt, place: str) -> None:
    path, _, body = PLACES[place]
    start = len(world.provider.ledger.settled())
    with pytest.raises(requests.RequestException):
        attempt.post(path, filled(body, "BREAKS", **({} if "gemini" in place else {"stream": True})))
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert tokens(usage) == world.sent_since(start) and usage.tokens_out > 0
    assert (usage.errors, usage.unmetered, usage.retries) == (1, 1, 0)
    assert attempt.lines()[0]["outcome"] == "broken"


def test_fifty_streams_at_once_of_which_some_are_left(world: World, attempt: Attempt) -> None:
    start = len(world.provider.ledger.settled())

    def one(number: int) -> None:
        mine = Attempt(attempt.gateway, attempt.ticket, attempt.url)
        body = filled(PLACES["chat"][2], f"SHORT STREAM number {number}", stream=True)
        if number % 5 == 0:
            hang_up(mine, "/v1/chat/completions", body, after=2)
        else:
            assert mine.post("/v1/chat/completions", body).text.endswith("data: [DONE]\n\n")

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(one, range(50)))
    usage = attempt.usage_when(lambda usage: usage.calls == 50)
    assert tokens(usage) == world.sent_since(start) and usage.unmetered == 0
    assert attempt.get("/usage")["in_flight"] == 0


def test_embeddings_and_counting(world: World, attempt: Attempt) -> None:
    start = len(world.provider.ledger.settled())
    answer = attempt.post("/v1/embeddings", {"model": "demo", "input": ["some text", "more text"]}).json()
    assert len(answer["data"]) == 2
    body = {"content": {"parts": [{"text": "abcdefgh"}]}}
    answer = attempt.post("/gemini/v1beta/models/gemini/demo:embedContent", body).json()
    assert answer["embedding"]["values"]
    usage = attempt.usage_when(lambda usage: usage.calls == 2)
    assert tokens(usage) == world.sent_since(start) and usage.tokens_out == 0
    counted = attempt.post("/anthropic/v1/messages/count_tokens", filled(PLACES["anthropic"][2], "abcdefgh")).json()
    assert counted == {"input_tokens": 2}
    counted = attempt.post("/gemini/v1beta/models/gemini/demo:countTokens", filled(PARTS, "abcdefgh")).json()
    assert counted == {"totalTokens": 2}
    assert attempt.usage_when(lambda usage: usage.calls == 4).tokens_in == usage.tokens_in


def test_which_model_a_name_means(world: World) -> None:
    attempt = world.admit(models=("openai/demo", "anthropic/demo", "local/other/demo"))
    assert attempt.chat("x", "demo").status_code == 200
    assert attempt.chat("x", "anthropic/demo").status_code == 200
    assert attempt.chat("x", "other/demo").status_code == 200
    assert attempt.usage_when(lambda usage: usage.calls == 3).models == {
        "openai/demo": 1,
        "anthropic/demo": 1,
        "local/other/demo": 1,
    }
    refused = attempt.chat("x", "gemini/demo")
    assert refused.status_code == 404 and "anthropic/demo" in refused.json()["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    listed = [entry["id"] for entry in attempt.get("/v1/models")["data"]]
    assert listed == ["openai/demo", "anthropic/demo", "local/other/demo"]
    assert attempt.get("/gemini/v1beta/models")["models"][0]["name"] == "models/openai/demo"
    assert attempt.get("/anthropic/v1/models")["data"][1]["id"] == "anthropic/demo"

    everything = world.admit()
    assert everything.chat("x", "anthropic/demo").status_code == 200
    assert everything.chat("x", "nokey/demo").json()["error"]["message"].count("NOKEY_API_KEY") == 1
    wrong = everything.post("/anthropic/v1/messages", filled(PLACES["anthropic"][2], "x", model="openai/demo"))
    assert wrong.status_code == 400 and wrong.json()["error"]["type"] == "protocol_not_offered"


def test_scripted_models_are_served_by_the_gateways_own_child(world: World) -> None:
    one, two = world.admit(model="scripted/demo"), world.admit(model="scripted/demo", key="another-key")
    two.key = "another-key"
    said = [who.chat("AGAIN", "scripted/demo").json()["choices"][0]["message"]["content"] for who in (one, two, one)]
    assert said == ["one", "one", "two"]  # each attempt has its own sequence
    body = filled(PLACES["anthropic"][2], "hello", model="scripted/demo")
    assert one.post("/anthropic/v1/messages", body).json()["content"][0]["text"] == "plain answer"
    assert one.usage_when(lambda usage: usage.calls == 3).usd == 0.0


def test_the_log_tells_all_but_the_words(attempt: Attempt) -> None:
    assert attempt.chat("STATED and a secret prompt", stream=True).content  # read to its end: no hang-up
    attempt.chat("TOO MUCH of a secret prompt")
    attempt.usage_when(lambda usage: usage.calls == 2)
    good, bad = attempt.lines()
    assert (good["model"], good["speech"], good["stream"], good["status"]) == ("openai/demo", "openai-chat", True, 200)
    assert good["outcome"] == "ok" and 0 < good["first_byte"] <= good["seconds"] < 30 and good["bytes_out"] > 0
    assert (bad["status"], bad["outcome"], bad["error"], bad["tokens_in"]) == (400, "error", "http_400", 0)
    text = attempt.ticket.log.read_text()
    assert "secret prompt" not in text and "context too long" not in text and KEY not in text
    final = attempt.gateway.dismiss(attempt.ticket.attempt)
    assert verify_chain(attempt.ticket.log, final.head).holds


def test_an_agent_may_look_at_its_usage(world: World) -> None:
    from mlebench.gateway.api import Budget

    attempt = world.admit(budget=Budget(usd=10.0, calls=5))
    attempt.chat("STATED")
    attempt.usage_when(lambda usage: usage.calls == 1)
    seen = attempt.get("/usage")
    assert seen["usage"]["tokens_in"] == 100 and seen["left"]["calls"] == 4 and seen["left"]["tokens"] is None
    assert seen["left"]["usd"] == pytest.approx(10 - 1.46)
    assert requests.get(attempt.url + "/health", timeout=5).json() == {"status": "running"}


def test_dismissing_cuts_what_runs(world: World) -> None:
    attempt = world.admit()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(attempt.chat, "LONG", stream=True)
        time.sleep(0.3)
        final = world.gateway.dismiss(attempt.ticket.attempt)
        answer = call.result()
        with pytest.raises(requests.RequestException):
            answer.content  # noqa: B018
    assert (final.calls, final.errors, final.unmetered) == (1, 1, 1) and final.tokens_out > 0
    assert verify_chain(attempt.ticket.log, final.head).holds and attempt.lines()[0]["outcome"] == "cut"
    with pytest.raises(requests.ConnectionError):
        attempt.chat("x")
    assert world.gateway.dismiss(attempt.ticket.attempt) == final
