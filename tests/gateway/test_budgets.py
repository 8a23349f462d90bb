"""Hard budgets: refused in every protocol's words, not overrun by parallel calls, kept over restarts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gateway_world import KEY, Attempt, World
from hypothesis import given
from hypothesis import strategies as st

from mlebench.chain import read_events, verify_chain
from mlebench.errors import GatewayError
from mlebench.gateway.api import Budget, Ticket
from mlebench.gateway.meter import SINGLE_REFUSALS, Expected, Meter
from mlebench.gateway.refusal import BudgetExhausted, Refusal

SAY: dict[str, Any] = {"messages": [{"role": "user", "content": "STATED"}], "max_tokens": 100}


def test_refusals_in_each_protocols_words(world: World) -> None:
    attempt = world.admit(budget=Budget(calls=1))
    assert attempt.chat("STATED").status_code == 200
    assert attempt.usage_when(lambda usage: usage.calls == 1).exhausted is None
    openai = attempt.chat("STATED")
    anthropic = attempt.post("/anthropic/v1/messages", {"model": "anthropic/demo", **SAY})
    gemini = attempt.post("/gemini/v1beta/models/gemini/demo:generateContent", {"contents": []})
    for answer in (openai, anthropic, gemini):
        assert answer.status_code == 429 and answer.headers["x-should-retry"] == "false"
        error = answer.json()["error"]
        assert error["type"] == "budget_exhausted" and "1 calls is used up" in error["message"]
    assert openai.json()["error"]["code"] == anthropic.json()["error"]["code"] == "budget_exhausted"
    assert anthropic.json()["type"] == "error" and gemini.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    usage = attempt.usage_when(lambda usage: usage.refused == 3)
    assert (usage.calls, usage.exhausted) == (1, "calls")


@pytest.mark.parametrize(
    ("budget", "which", "fits"),
    [(Budget(tokens=400), "tokens", 3), (Budget(usd=4.0), "usd", 3), (Budget(calls=7, tokens=10_000), "calls", 7)],
)
def test_the_call_that_finds_a_budget_reached_is_refused(world: World, budget: Budget, which: str, fits: int) -> None:
    attempt = world.admit(budget=budget)  # a call takes 150 tokens and 1.46 dollars
    statuses = [attempt.chat("STATED").status_code for _ in range(fits + 3)]
    assert statuses == [200] * fits + [429] * 3
    assert attempt.usage_when(lambda usage: usage.refused == 3).exhausted == which
    assert attempt.get("/usage")["left"][which] == 0


@pytest.mark.parametrize("budget", [Budget(calls=7), Budget(tokens=200), Budget(usd=3.0)])
def test_fifty_calls_at_once_do_not_overrun_it(world: World, budget: Budget) -> None:
    attempt = world.admit(budget=budget)

    def one(_: int) -> int:
        mine = Attempt(attempt.gateway, attempt.ticket, attempt.url)
        # 10 + 10 tokens, 0.3 dollars, and it takes a moment
        return mine.chat("SLOW", max_tokens=10).status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(one, range(50)))
    assert set(statuses) == {200, 429}
    usage = attempt.usage_when(lambda usage: usage.calls + usage.refused == 50)
    assert usage.calls == statuses.count(200)
    if budget.calls:
        assert usage.calls == budget.calls
    else:  # ten calls use it up
        assert usage.calls <= 10


def test_a_model_without_a_price_is_refused_where_dollars_are_limited(world: World) -> None:
    attempt = world.admit(budget=Budget(usd=1.0))
    answer = attempt.post("/anthropic/v1/messages", {"model": "anthropic/unheard-of", **SAY})
    assert answer.status_code == 400 and answer.json()["error"]["type"] == "price_unknown"
    assert "--prices" in answer.json()["error"]["message"]
    with pytest.raises(GatewayError, match="prices file"):
        world.admit(budget=Budget(usd=1.0), model="anthropic/unheard-of")


def test_budgets_hold_over_a_second_admission(world: World) -> None:
    attempt = world.admit(budget=Budget(calls=2))
    assert [attempt.chat("STATED").status_code for _ in range(3)] == [200, 200, 429]
    before = attempt.usage_when(lambda usage: usage.refused == 1)
    final = world.gateway.dismiss(attempt.ticket.attempt)
    assert final.model_dump(exclude={"head"}) == before.model_dump(exclude={"head"})
    door = world.gateway.admit(attempt.ticket)
    again = Attempt(world.gateway, attempt.ticket, f"http://127.0.0.1:{door.port}")
    assert again.usage.model_dump(exclude={"head"}) == before.model_dump(exclude={"head"})
    assert again.chat("STATED").status_code == 429


def facts(**more: Any) -> dict[str, Any]:
    return {
        "model": "openai/a",
        "outcome": "ok",
        "seconds": 0.5,
        "replayed": False,
        "retries": 0,
        "metered": True,
        "tokens_in": 10,
        "tokens_out": 5,
        "tokens_cached": 2,
        "tokens_reasoning": 1,
        "usd": 0.25,
        **more,
    }


def meter(path: Path, budget: Budget = Budget()) -> Meter:
    return Meter(path, budget, "table 1")


def expecting(tokens: int, usd: float = 0.0) -> Expected:
    return Expected("openai/a", tokens, 0, usd)


CALLS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["openai/a", "local/b"]),
        "outcome": st.sampled_from(["ok", "hung_up", "error", "cut", "broken"]),
        "metered": st.booleans(),
        "replayed": st.booleans(),
        "retries": st.integers(0, 3),
        "tokens_in": st.integers(0, 10**6),
        "usd": st.none() | st.floats(0, 10).map(lambda value: round(value, 6)),
    }
)


@given(calls=st.lists(st.one_of(CALLS, st.sampled_from(["wrong_key", "usd"])), max_size=20), limit=st.integers(0, 15))
def test_totals_from_the_log_are_the_totals(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Any], limit: int
) -> None:
    path = tmp_path_factory.mktemp("meter") / "usage.jsonl"

    async def live() -> Any:
        one = meter(path)
        for call in calls:
            if isinstance(call, str):
                one.refuse(call, call if call == "usd" else None)
            elif call["replayed"]:
                one.replayed(**facts(**call))
            else:
                one.end(await one.begin(expecting(100, 0.1)), **facts(**call))
        return one.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlebench.gateway.meter.SINGLE_LINES", limit)
        patch.setattr("mlebench.gateway.meter.SINGLE_REFUSALS", limit // 3)
        patch.setattr("mlebench.gateway.meter._BATCH", 4)
        final = asyncio.run(live())
    assert verify_chain(path, final.head).holds
    rebuilt = meter(path)
    left, right = final.model_dump(exclude={"head"}), rebuilt.usage.model_dump(exclude={"head"})
    for name in ("usd", "seconds"):
        assert right.pop(name) == pytest.approx(left.pop(name))
    assert left == right


def test_an_agent_cannot_fill_the_disk_with_refusals(tmp_path: Path) -> None:
    one = meter(tmp_path / "usage.jsonl")
    for _ in range(20 * SINGLE_REFUSALS):
        one.refuse("wrong_key")
    one.refuse("budget_exhausted", "usd")
    assert one.usage.refused == 20 * SINGLE_REFUSALS + 1 and one.usage.exhausted == "usd"
    one.close()
    assert (tmp_path / "usage.jsonl").stat().st_size < 600_000
    assert meter(tmp_path / "usage.jsonl").usage.exhausted == "usd"


def test_totals_stay_short(tmp_path: Path) -> None:
    one = meter(tmp_path / "usage.jsonl")
    for number in range(300):
        one.replayed(**facts(model=f"openai/{number % 150}", replayed=number % 2 == 0, usd=None))
    usage = one.usage
    assert sum(usage.models.values()) == 300 and len(usage.models) == 101 and usage.models["(others)"] == 100
    assert 0 < len(usage.unpriced) <= 101


def test_calls_wait_for_those_that_may_use_up_the_rest(tmp_path: Path) -> None:
    async def story() -> None:
        one = meter(tmp_path / "usage.jsonl", Budget(tokens=1000))
        big = expecting(900)
        first = await one.begin(big)  # alone it may start, whatever it takes
        waiting = asyncio.ensure_future(one.begin(big))
        await asyncio.sleep(0.01)
        assert not waiting.done() and one.in_flight == 1
        one.end(first, **facts(tokens_in=10, tokens_out=10))
        one.end(await waiting, **facts(tokens_in=990, tokens_out=0))
        with pytest.raises(BudgetExhausted, match="1000 tokens"):
            await one.begin(expecting(1))

    asyncio.run(story())


def test_calls_in_flight_at_a_kill_are_counted_as_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlebench.gateway.meter.NOTED_SECONDS", 0.01)
    path = tmp_path / "usage.jsonl"

    async def killed() -> None:
        one = meter(path)
        ends, _, quick = [await one.begin(Expected("openai/a", 70, 30, 0.5)) for _ in range(3)]
        one.end(quick, **facts())
        await asyncio.sleep(0.05)
        one.end(ends, **facts())

    asyncio.run(killed())
    again = meter(path)
    usage = again.usage
    assert (usage.calls, usage.errors, usage.unmetered) == (3, 1, 1)
    assert (usage.tokens_in, usage.tokens_out, usage.usd) == (20 + 70, 10 + 30, 1.0)
    once_more = meter(path)  # the lost call got its line, and is counted once
    assert once_more.usage.model_dump(exclude={"head"}) == usage.model_dump(exclude={"head"})
    assert verify_chain(path).holds


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"

    async def two_calls() -> None:
        one = meter(path)
        for _ in range(2):
            one.end(await one.begin(expecting(1)), **facts())

    asyncio.run(two_calls())
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    again = meter(path)
    assert again.usage.calls == 1
    again.close()
    assert verify_chain(path).holds


def test_what_cannot_be_logged_is_not_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "usage.jsonl"

    async def full_disk() -> None:
        one = meter(path)
        begun = await one.begin(expecting(1))

        def no_space(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(one._journal, "append", no_space)
        one.end(begun, **facts())
        with pytest.raises(Refusal, match="cannot be written"):
            await one.begin(expecting(1))
        for _ in range(3):
            one.refuse("log_not_writable")
        assert one.usage.calls == 1  # it was made, and counts
        monkeypatch.undo()
        one.end(await one.begin(expecting(1)), **facts())  # there is room again
        total = one.close()
        assert (total.calls, total.refused) == (2, 0)

    asyncio.run(full_disk())
    assert verify_chain(path).holds
    assert [line["event"] for line in read_events(path)] == ["opened", "call", "call", "closed"]


def test_a_changed_log_is_refused(world: World) -> None:
    attempt = world.admit()
    attempt.chat("STATED")
    attempt.usage_when(lambda usage: usage.calls == 1)
    world.gateway.dismiss(attempt.ticket.attempt)
    log = attempt.ticket.log
    log.write_text(log.read_text().replace('"tokens_in": 100', '"tokens_in": 1'))
    with pytest.raises(GatewayError, match="was changed"):
        world.gateway.admit(Ticket(attempt.ticket.attempt, KEY, log, "openai/demo"))
