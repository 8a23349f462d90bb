"""Recorded answers: the same run again, without the provider."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from gateway_world import KEY, PATIENCE, Attempt, World, closed_port, providers_file

from mlebench.errors import GatewayError
from mlebench.gateway.api import Budget, Replay, Ticket
from mlebench.gateway.launcher import Gateway
from mlebench.gateway.prices import Tokens
from mlebench.gateway.recordings import Occurrences, Place, Recording, Recordings, request_hashes


def play(attempt: Attempt) -> list[tuple[int, str, bytes]]:
    """What an agent asks in one run, and what it gets."""
    answers = [attempt.chat("AGAIN", model="scripted/demo") for _ in range(3)]
    answers += [attempt.chat("SHORT STREAM", model="scripted/demo", stream=True)]
    answers += [attempt.chat("TOO MUCH", model="scripted/demo")]
    body = {"model": "scripted/demo", "max_tokens": 9, "messages": [{"role": "user", "content": "STATED"}]}
    answers += [attempt.post("/anthropic/v1/messages", {**body, "stream": stream}) for stream in (False, True)]
    got = [(answer.status_code, answer.headers["Content-Type"], answer.content) for answer in answers]
    with pytest.raises(requests.RequestException):
        attempt.chat("BREAKS", model="scripted/demo", stream=True).content  # noqa: B018
    return got


def stored(cache: Path, count: int) -> list[Path]:
    """The recordings as soon as there are so many: they are written a moment after the answer."""
    deadline = time.monotonic() + 10
    while len(found := list(cache.rglob("*.rec"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway without any provider, key or script."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    own = providers_file(tmp_path / "providers.toml", f"http://127.0.0.1:{closed_port()}")
    with Gateway(tmp_path / "run", providers=own, limits=PATIENCE) as gateway:
        yield gateway


def test_a_run_is_repeated_from_its_recordings(world: World, tmp_path: Path, offline: Gateway) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(model="scripted/demo", replay=Replay.RECORD, cache=cache)
    first = play(recorded)
    taken = recorded.usage_when(lambda usage: usage.calls == 8)
    assert taken.replayed == 0
    stored(cache, 8)
    assert not list(cache.rglob("*.part"))

    ticket = Ticket("b", "other-key", tmp_path / "b.jsonl", "scripted/demo", replay=Replay.REPLAY, cache=cache)
    again = Attempt(offline, ticket, f"http://127.0.0.1:{offline.admit(ticket).port}", "other-key")
    assert play(again) == first
    usage = again.usage_when(lambda usage: usage.calls == 8)
    assert usage.replayed == 8 and usage.usd == 0.0
    names = ("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning", "errors", "models")
    assert [getattr(usage, name) for name in names] == [getattr(taken, name) for name in names]
    assert [line["usd"] for line in again.lines()] == [0.0] * 8

    miss = again.chat("AGAIN", model="scripted/demo")  # a fourth time was never recorded
    assert miss.status_code == 404 and miss.json()["error"]["code"] == "not_recorded"
    assert "a replay contacts no provider" in miss.json()["error"]["message"]
    assert again.chat("something else", model="openai/demo").status_code == 404
    assert again.usage_when(lambda usage: usage.refused == 2).calls == 8


def test_streams_come_in_the_pieces_in_which_they_came(world: World, tmp_path: Path, offline: Gateway) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(replay=Replay.RECORD, cache=cache)
    text = recorded.chat("SHORT STREAM", stream=True).text
    (path,) = stored(cache, 1)
    found = Recordings(cache).find(Place(path.parent.name, 0, "none", 0))
    assert found is not None
    kept = found[0]
    assert len(kept.pieces) >= 5 and b"".join(kept.pieces).decode() == text
    assert kept.tokens.output == 50 and path.stat().st_mode & 0o077 == 0
    # What was asked for without its usage is replayed without it; the request is another one with it.
    ticket = Ticket("b", KEY, tmp_path / "b.jsonl", "openai/demo", replay=Replay.REPLAY, cache=cache)
    again = Attempt(offline, ticket, f"http://127.0.0.1:{offline.admit(ticket).port}")
    options = {"include_usage": True}
    assert again.chat("SHORT STREAM", stream=True, stream_options=options).status_code == 404
    assert again.chat("SHORT STREAM", stream=True).text == text


def test_a_resumed_replay_goes_on_where_it_was(world: World, tmp_path: Path, offline: Gateway) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(model="scripted/demo", replay=Replay.RECORD, cache=cache)
    first = [recorded.chat("AGAIN", "scripted/demo").text for _ in range(3)]
    stored(cache, 3)
    ticket = Ticket("b", KEY, tmp_path / "b.jsonl", "scripted/demo", replay=Replay.REPLAY, cache=cache)
    again = Attempt(offline, ticket, f"http://127.0.0.1:{offline.admit(ticket).port}")
    got = [again.chat("AGAIN", "scripted/demo").text]
    offline.dismiss("b")
    again.url = f"http://127.0.0.1:{offline.admit(ticket).port}"
    got += [again.chat("AGAIN", "scripted/demo").text for _ in range(2)]
    assert got == first and len(set(first)) == 3


def test_refused_requests_are_not_occurrences(world: World, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(replay=Replay.RECORD, cache=cache, budget=Budget(calls=1))
    assert [recorded.chat("STATED").status_code for _ in range(3)] == [200, 429, 429]
    assert [path.name for path in stored(cache, 1)] == ["0.rec"]
    with pytest.raises(GatewayError, match="needs a folder"):
        world.admit(replay=Replay.REPLAY)


def test_requests_that_differ_in_numbers_only_are_found_by_their_shape(
    world: World, tmp_path: Path, offline: Gateway
) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(model="scripted/demo", replay=Replay.RECORD, cache=cache)
    prompts = ["AGAIN: 3599.2 s are left of 2026-11-28T10-00-00", "AGAIN: 41 s are left of 2026-11-28T10-00-01"]
    first = [recorded.chat(prompt, "scripted/demo").text for prompt in prompts]
    stored(cache, 2)
    ticket = Ticket("b", KEY, tmp_path / "b.jsonl", "scripted/demo", replay=Replay.REPLAY, cache=cache)
    again = Attempt(offline, ticket, f"http://127.0.0.1:{offline.admit(ticket).port}")
    later = ["AGAIN: 3597 s are left of 2027-01-01T00-00-00", "AGAIN: 39.5 s are left of 2027-01-01T00-00-01"]
    assert [again.chat(prompt, "scripted/demo").text for prompt in later] == first
    assert again.chat("AGAIN: many s are left", "scripted/demo").status_code == 404
    again.usage_when(lambda usage: usage.replayed == 2)
    assert [line["found_by"] for line in again.lines()] == ["shape", "shape"]
    third = Ticket("c", KEY, tmp_path / "c.jsonl", "scripted/demo", replay=Replay.REPLAY, cache=cache)
    once_more = Attempt(offline, third, f"http://127.0.0.1:{offline.admit(third).port}")
    assert [once_more.chat(prompt, "scripted/demo").text for prompt in reversed(prompts)] == first[::-1]
    once_more.usage_when(lambda usage: usage.replayed == 2)
    assert [line["found_by"] for line in once_more.lines()] == ["request", "request"]


def test_a_recording_that_cannot_be_kept_is_told(world: World, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    recorded = world.admit(replay=Replay.RECORD, cache=tmp_path / "cache")
    assert recorded.chat("STATED").status_code == 200
    recorded.usage_when(lambda usage: usage.calls == 1)
    assert recorded.chat("STATED", stream=True).text.endswith("data: [DONE]\n\n")
    recorded.usage_when(lambda usage: usage.calls == 2)
    world.gateway.dismiss(recorded.ticket.attempt)
    assert len(recorded.lines("recording_failed")) == 2


def test_budgets_hold_in_a_replay_too(world: World, tmp_path: Path, offline: Gateway) -> None:
    cache = tmp_path / "cache"
    recorded = world.admit(model="scripted/demo", replay=Replay.RECORD, cache=cache)
    assert [recorded.chat("AGAIN", "scripted/demo").status_code for _ in range(3)] == [200] * 3
    stored(cache, 3)
    ticket = Ticket("b", KEY, tmp_path / "b.jsonl", "scripted/demo", replay=Replay.REPLAY, cache=cache)
    ticket = replace(ticket, budget=Budget(calls=2))
    again = Attempt(offline, ticket, f"http://127.0.0.1:{offline.admit(ticket).port}")
    assert [again.chat("AGAIN", "scripted/demo").status_code for _ in range(3)] == [200, 200, 429]
    assert again.usage_when(lambda usage: usage.refused == 1).exhausted == "calls"


def test_hashes_are_of_the_request_alone() -> None:
    body = {"model": "x", "messages": [{"role": "user", "content": "hé"}], "temperature": 0.5}
    same = {"temperature": 0.5, "messages": [{"content": "hé", "role": "user"}], "model": "openai/x"}
    one = request_hashes("openai-chat", "openai/x", body)
    assert one == request_hashes("openai-chat", "openai/x", same) and re.fullmatch("[0-9a-f]{64}", one[0])
    for other in (
        request_hashes("openai-chat", "openai/y", body),
        request_hashes("openai-responses", "openai/x", body),
        request_hashes("openai-chat", "openai/x", {**body, "stop": "x"}),
    ):
        assert other[0] != one[0] and other[1] != one[1]
    warmer = request_hashes("openai-chat", "openai/x", {**body, "temperature": 0.61})
    assert warmer[0] != one[0] and warmer[1] == one[1]


@pytest.mark.parametrize("said", ["a moment", "a second", "2 seconds", "17.5 seconds", "an hour", "a minute"])
def test_durations_in_words_have_one_shape(said: str) -> None:
    def shape(text: str) -> str:
        return request_hashes("openai-chat", "x/y", {"messages": [{"role": "user", "content": text}]})[1]

    assert shape(f"It took {said} (limit: 4 minutes).") == shape("It took 3 seconds (limit: an hour).")
    assert shape(f"Time:\n{said}") == shape("Time:\n3 seconds")
    assert shape(f"It took {said}, a lot.") != shape(f"It took {said}, a bit.")


def test_occurrences_count_on() -> None:
    counts = Occurrences()
    places = [counts.take("r1", "s"), counts.take("r2", "s"), counts.take("r1", "s")]
    assert [(place.occurrence, place.shape_occurrence) for place in places] == [(0, 0), (0, 1), (1, 2)]
    counts.give_back(places[2])
    assert counts.take("r1", "s") == places[2]


def test_damaged_recordings_count_as_none(tmp_path: Path) -> None:
    room = Recordings(tmp_path)
    place, other = Place("ab" * 32, 0, "cd" * 32, 0), Place("ef" * 32, 0, "cd" * 32, 0)
    room.store(place, Recording(200, "text/plain", [b"one", b"two"], tokens=Tokens(1, 2), size=6))
    for asked, how in ((place, "request"), (other, "shape")):
        found = room.find(asked)
        assert found is not None and found[0].pieces == [b"one", b"two"] and found[0].tokens == Tokens(1, 2)
        assert found[1] == how
    path = next(tmp_path.rglob("*.rec"))
    path.write_bytes(path.read_bytes()[:-1])
    assert room.find(place) is None and room.find(other) is None
    path.write_bytes(b"{}\n")
    assert room.find(place) is None and room.find(Place("x", 0, "y", 0)) is None
    next(tmp_path.rglob("*.same")).write_bytes(b"[1]")
    assert room.find(other) is None
