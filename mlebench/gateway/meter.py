"""One attempt's meter: the log of its calls, its totals, and its hard budgets."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlebench.chain import EventLog, read_events
from mlebench.gateway.api import Budget, Usage
from mlebench.gateway.recordings import Occurrences
from mlebench.gateway.refusal import BudgetExhausted, Refusal
from mlebench.gateway.totals import Totals

SINGLE_LINES = 100_000
"""Calls that are logged one by one; later ones are summed up, so that no agent fills the disk with them."""
SINGLE_REFUSALS = 1_000
_BATCH = 1_000
_ROUNDING = 1e-9
"""Dollars: ten times 0.3 is a little less than 3 to a computer."""
NOTED_SECONDS = 1.0
"""A call that takes longer is noted when it begins as well, so that it is not lost when the gateway is killed."""
_FIRST_GUESS = 1_000
"""Output tokens that a call is expected to take before there was any."""


@dataclass(frozen=True)
class Expected:
    """What a call that is about to start may take."""

    model: str
    tokens_in: int
    tokens_out: int
    usd: float

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True)
class Begun:
    """A call in flight."""

    number: int
    """Its own in the log."""
    expected: Expected
    noting: asyncio.TimerHandle
    """Notes in the log that it has begun, unless it ends first."""


class Meter:
    """Counts calls and refuses those that a used-up budget does not cover."""

    def __init__(self, log: Path, budget: Budget, prices: str) -> None:
        """Open the log and count what is in it; DataError when it was changed."""
        self._journal = EventLog(log, durable=False)
        self._budget = budget
        self._prices = prices
        self._totals = Totals()
        self._unwritten = Totals()
        self._pending = 0
        self._refusals = 0
        self._in_flight = 0
        self._reserved_tokens = 0
        self._reserved_usd = 0.0
        self._settled = asyncio.Event()
        self.occurrences = Occurrences()
        """How often each request was asked; only where answers are recorded or replayed."""
        self._held: list[tuple[str, dict[str, Any]]] = []
        """Lines that a full disk has not taken yet, oldest first: of calls that were in flight then."""
        self._calls = 0
        lost: dict[int, dict[str, Any]] = {}
        for line in read_events(log):
            if line["event"] == "begun":
                lost[line["call"]] = line
            elif "call" in line:
                lost.pop(line["call"], None)
            self._calls = max(self._calls, line.get("call", 0))
            self._totals.apply(line)
            self._refusals += line["event"] == "refused"
            if line.get("request"):
                self.occurrences.seen(line["request"], line["shape"])
        self.note("opened", budget=asdict(budget), prices=prices)
        for line in lost.values():
            self._count("call", _lost(line), summed=False)

    @property
    def usage(self) -> Usage:
        """Totals so far."""
        return self._totals.usage(self._prices, self._journal.head)

    @property
    def in_flight(self) -> int:
        """Calls that have begun and are not over."""
        return self._in_flight

    def left(self) -> dict[str, float | int | None]:
        """What is left of each budget; None where there is no limit."""
        budget, totals = self._budget, self._totals
        return {
            "usd": None if budget.usd is None else max(budget.usd - totals.usd, 0.0),
            "tokens": None if budget.tokens is None else max(budget.tokens - totals.tokens, 0),
            "calls": None if budget.calls is None else max(budget.calls - totals.calls, 0),
        }

    @property
    def limits_usd(self) -> bool:
        """Whether there is a budget in dollars."""
        return self._budget.usd is not None

    @property
    def typical_output(self) -> int:
        """Output tokens of a call so far."""
        return -(-self._totals.tokens_out // self._totals.calls) if self._totals.calls else _FIRST_GUESS

    def check(self) -> None:
        """BudgetExhausted when a budget is reached; Refusal when calls can no longer be logged."""
        if not self._caught_up():
            raise Refusal(503, "log_not_writable", "The log of model calls cannot be written; no call is answered.")
        which = self._reached()
        if which is not None:
            raise BudgetExhausted(which, self._sentence(which))

    async def begin(self, expected: Expected) -> Begun:
        """Let a call start; BudgetExhausted when a budget is reached.

        Where the calls in flight may use up what is left, this one waits for them: many calls at once overrun a
        budget no further than one after the other would.
        """
        while True:
            self.check()
            if self._in_flight == 0 or self._fits(expected):
                break
            await self._settled.wait()
        self._in_flight += 1
        self._reserved_tokens += expected.tokens
        self._reserved_usd += expected.usd
        self._calls += 1
        noting = asyncio.get_running_loop().call_later(NOTED_SECONDS, self._note_begun, self._calls, expected)
        return Begun(self._calls, expected, noting)

    def end(self, begun: Begun, **facts: Any) -> None:
        """Count and log a call that began; every call ends once."""
        expected = begun.expected
        begun.noting.cancel()
        self._in_flight -= 1
        self._reserved_tokens -= expected.tokens
        self._reserved_usd = self._reserved_usd - expected.usd if self._in_flight else 0.0
        self._count("call", {"call": begun.number, **facts}, self._journal.lines >= SINGLE_LINES)
        self._settled.set()
        self._settled = asyncio.Event()

    def replayed(self, **facts: Any) -> None:
        """Count and log an answer from the cache."""
        self._count("call", facts, self._journal.lines >= SINGLE_LINES)

    def refuse(self, code: str, budget: str | None = None) -> None:
        """Count and log a request that was turned away; neither while the log cannot be written, however many come."""
        if not self._caught_up():
            return
        first = budget is not None and self._totals.exhausted is None
        facts = {"reason": code, **({"budget": budget} if budget else {})}
        self._count("refused", facts, self._refusals >= SINGLE_REFUSALS and not first)
        self._refusals += 1

    def note(self, event: str, **facts: Any) -> None:
        """Log something else."""
        self._held.append((event, facts))
        self._caught_up()

    def _caught_up(self) -> bool:
        """Whether all that was noted is in the log; while it is not, such as with a full disk, no call is answered."""
        try:
            while self._held:
                event, facts = self._held[0]
                self._journal.append(event, **facts)
                del self._held[0]
        except OSError:
            return False
        return True

    def close(self) -> Usage:
        """Write what is not written yet, close the log; the final totals."""
        self._flush()
        self.note("closed", calls=self._totals.calls)
        with contextlib.suppress(OSError):
            self._journal.close()
        return self.usage

    def _note_begun(self, number: int, expected: Expected) -> None:
        if self._journal.lines < SINGLE_LINES:
            self.note("begun", call=number, **asdict(expected))

    def _count(self, event: str, facts: dict[str, Any], summed: bool) -> None:
        line = {"event": event, **facts}
        self._totals.apply(line)
        if not summed:
            self.note(event, **facts)
            return
        self._unwritten.apply(line)
        self._pending += 1
        if self._pending >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self.note("many", **self._unwritten.facts())
            self._unwritten, self._pending = Totals(), 0

    def _reached(self) -> str | None:
        budget, totals = self._budget, self._totals
        if budget.usd is not None and totals.usd >= budget.usd - _ROUNDING:
            return "usd"
        if budget.tokens is not None and totals.tokens >= budget.tokens:
            return "tokens"
        if budget.calls is not None and totals.calls + self._in_flight >= budget.calls:
            return "calls"
        return None

    def _fits(self, expected: Expected) -> bool:
        budget, totals = self._budget, self._totals
        tokens = totals.tokens + self._reserved_tokens + expected.tokens
        usd = totals.usd + self._reserved_usd + expected.usd
        return (budget.tokens is None or tokens <= budget.tokens) and (budget.usd is None or usd <= budget.usd)

    def _sentence(self, which: str) -> str:
        limit = {
            "usd": f"{self._budget.usd:g} dollars" if self._budget.usd is not None else "",
            "tokens": f"{self._budget.tokens} tokens",
            "calls": f"{self._budget.calls} calls",
        }[which]
        return f"This attempt's budget of {limit} is used up; no further model call will be answered."


def _lost(begun: dict[str, Any]) -> dict[str, Any]:
    """The line of a call whose end nobody saw, because the gateway was killed: what it may have taken counts."""
    return {
        **{name: begun[name] for name in ("call", "model", "tokens_in", "tokens_out", "usd")},
        "outcome": "lost",
        "error": "gateway_killed",
        "metered": False,
        "replayed": False,
        "retries": 0,
        "tokens_cached": 0,
        "tokens_reasoning": 0,
        "seconds": 0.0,
    }
