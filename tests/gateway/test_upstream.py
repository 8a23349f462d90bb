"""Providers that are busy, failing, slow or gone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from gateway_world import PATIENCE, Attempt, World

from mlebench.gateway.upstream import Upstream


def said(answer: requests.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("text", "answer", "retries"), [("BUSY TWICE", "at last", 2), ("ADVISED", "rested", 1), ("GONE ONCE", "back", 1)]
)
def test_a_provider_that_is_busy_is_asked_again(world: World, text: str, answer: str, retries: int) -> None:
    # The provider goes by its caller's key, which all attempts share; a model name of its own starts it anew.
    attempt = world.admit(model="scripted/demo")
    started = time.monotonic()
    assert said(attempt.chat(text, "scripted/demo")) == answer
    assert text != "ADVISED" or time.monotonic() - started >= 0.3
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert (usage.retries, usage.errors) == (retries, 0)
    again = world.admit(model="scripted/demo", key="k2")
    again.key = "k2"
    assert again.chat(text, "scripted/demo", stream=True).text.endswith("[DONE]\n\n")


@pytest.mark.parametrize(
    ("text", "status", "retries", "told"),
    [
        ("ALWAYS DOWN", 500, 3, "boom"),
        ("ADVISED FAR", 429, 0, "come back later"),
        ("NO MONEY", 429, 0, "insufficient_quota"),
        ("TOO MUCH", 400, 0, "context too long"),
        ("ALWAYS GONE", 502, 3, "could not be reached"),
        ("HANGS", 504, 0, "did not answer in time"),
    ],
)
def test_what_cannot_be_mended_is_passed_on(attempt: Attempt, text: str, status: int, retries: int, told: str) -> None:
    for number, stream in enumerate((False, True), 1):
        answer = attempt.chat(text, stream=stream)
        assert answer.status_code == status and told in answer.json()["error"]["message"]
        assert text != "ADVISED FAR" or answer.headers["Retry-After"] == "3600"
        usage = attempt.usage_when(lambda usage, number=number: usage.calls == number)
        assert (usage.errors, usage.retries, usage.tokens_in) == (number, number * retries, 0)


def test_a_stream_that_stalls_is_given_up(attempt: Attempt) -> None:
    started = time.monotonic()
    with pytest.raises(requests.RequestException):
        attempt.chat("STALLS", stream=True).content  # noqa: B018
    assert time.monotonic() - started < 14  # all of it takes 15
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert (usage.errors, usage.unmetered, usage.retries) == (1, 1, 0)
    assert attempt.lines()[0]["error"] == "provider_broke_off"


def test_a_provider_that_is_not_there(attempt: Attempt) -> None:
    answer = attempt.chat("x", "dead/model")
    assert answer.status_code == 502 and answer.json()["error"]["code"] == "provider_unreachable"
    assert "127.0.0.1" not in answer.text
    assert attempt.usage_when(lambda usage: usage.calls == 1).retries == PATIENCE.tries - 1


def test_an_agent_that_left_is_not_tried_for(world: World, attempt: Attempt) -> None:
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(
            lambda: requests.post(
                attempt.url + "/v1/chat/completions",
                json={"model": "openai/demo", "messages": [{"role": "user", "content": "HANGS"}]},
                headers={"Authorization": f"Bearer {attempt.key}"},
                timeout=0.3,
            )
        )
        with pytest.raises(requests.Timeout):
            call.result()
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert (usage.errors, usage.retries, usage.tokens_in) == (1, 0, 0)


def test_a_plain_answer_that_the_agent_did_not_wait_for_is_counted(world: World, attempt: Attempt) -> None:
    body = {"model": "openai/demo", "messages": [{"role": "user", "content": "SLOW"}]}
    headers = {"Authorization": f"Bearer {attempt.key}"}
    with pytest.raises(requests.Timeout):
        requests.post(attempt.url + "/v1/chat/completions", json=body, headers=headers, timeout=0.15)
    usage = attempt.usage_when(lambda usage: usage.calls == 1)
    assert (usage.tokens_in, usage.tokens_out, usage.unmetered) == (10, 10, 0)
    assert attempt.lines()[0]["outcome"] == "hung_up"


def test_waits_grow_have_jitter_and_an_end() -> None:
    upstream = Upstream(PATIENCE)
    waits = [upstream._wait(0, 0.0, None) for _ in range(50)]
    assert all(wait is not None and 0.01 <= wait <= 0.02 for wait in waits) and len(set(waits)) > 10
    assert (upstream._wait(2, 0.0, None) or 0) > 0.02
    assert upstream._wait(PATIENCE.tries - 1, 0.0, None) is None
    assert upstream._wait(0, PATIENCE.retry_seconds, None) is None
    assert upstream._wait(0, 0.0, 1.5) == 1.5
    assert upstream._wait(0, 0.0, 100.0) is None
