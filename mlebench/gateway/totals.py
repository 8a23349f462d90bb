"""Totals of an attempt's model calls. Counting live and counting from the log is the same code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mlebench.gateway.api import Spent, Usage

MODELS = 100
OTHERS = "(others)"
"""Where the calls of further models are counted: an agent that may ask for any name must not make the totals long."""
_SUMMED = ("calls", "errors", "refused", "replayed", "retries", "unmetered", "seconds", "usd")
_TOKENS = ("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning")


@dataclass
class Totals:
    """Sums over lines of usage.jsonl."""

    calls: int = 0
    errors: int = 0
    refused: int = 0
    replayed: int = 0
    retries: int = 0
    unmetered: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_reasoning: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    """Of the calls whose price is known."""
    unpriced: set[str] = field(default_factory=set)
    models: Counter[str] = field(default_factory=Counter)
    spent: dict[str, Spent] = field(default_factory=dict)
    exhausted: str | None = None

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.tokens_in + self.tokens_out

    def apply(self, line: dict[str, Any]) -> None:
        """Count one line of the log; lines of other events count nothing."""
        event = line["event"]
        if event == "call":
            self._call(line)
        elif event == "refused":
            self.refused += 1
            self.exhausted = line.get("budget") or self.exhausted
        elif event == "many":
            for name in (*_SUMMED, *_TOKENS):
                setattr(self, name, getattr(self, name) + line[name])
            self.unpriced.update(line["unpriced"])
            self.models.update(line["models"])
            for model, part in line.get("spent", {}).items():
                self._spend(model, **part)
            self.exhausted = line["exhausted"] or self.exhausted

    def facts(self) -> dict[str, Any]:
        """The same as one line `many`, which stands for all that was counted."""
        sums = {name: getattr(self, name) for name in (*_SUMMED, *_TOKENS)}
        spent = {model: part.model_dump() for model, part in self.spent.items()}
        models = {"models": dict(self.models), "spent": spent}
        return {**sums, "unpriced": sorted(self.unpriced), **models, "exhausted": self.exhausted}

    def usage(self, prices: str | None, head: str | None) -> Usage:
        """What the runner is told."""
        facts = self.facts()
        if self.unpriced:
            facts["usd"] = None
        return Usage(**facts, prices=prices, head=head)

    def _call(self, line: dict[str, Any]) -> None:
        model = line["model"]
        self.models[model if model in self.models or len(self.models) < MODELS else OTHERS] += 1
        self.errors += line["outcome"] not in ("ok", "hung_up")
        self.seconds += line["seconds"]
        for name in _TOKENS:
            setattr(self, name, getattr(self, name) + line[name])
        self.calls += 1
        usd = 0.0 if line["replayed"] else line["usd"]
        self._spend(line["model"], tokens_in=line["tokens_in"], tokens_out=line["tokens_out"], usd=usd)
        if line["replayed"]:
            self.replayed += 1
            return
        self.retries += line["retries"]
        self.unmetered += not line["metered"]
        if line["usd"] is None:
            self.unpriced.add(model if model in self.unpriced or len(self.unpriced) < MODELS else OTHERS)
        else:
            self.usd += line["usd"]

    def _spend(self, model: str, *, tokens_in: int, tokens_out: int, usd: float | None) -> None:
        so_far = self.spent.get(model, Spent())
        self.spent[model] = Spent(
            tokens_in=so_far.tokens_in + tokens_in,
            tokens_out=so_far.tokens_out + tokens_out,
            usd=None if usd is None or so_far.usd is None else so_far.usd + usd,
        )
