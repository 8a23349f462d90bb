"""A claim about an attempt, and what a bundle says of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Verdict(StrEnum):
    """Whether a claim holds."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "cannot be shown"


class Topic(StrEnum):
    """What a claim is about, in the order they are shown."""

    WHOLE = "The bundle"
    ORDER = "The order of events"
    COUNTS = "What was counted"
    FAIRNESS = "The conditions"
    GRADE = "The grade"


class Claim(BaseModel):
    """One sentence that a reader may rely on, or not."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    key: str
    """Stable name for tools."""
    topic: Topic
    claim: str
    """The sentence."""
    verdict: Verdict
    why: str
    """One sentence: what the verdict rests on."""


class Claims:
    """Collects the claims of one topic."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self.made: list[Claim] = []

    def add(self, key: str, claim: str, verdict: Verdict | bool, why: str) -> None:
        """One claim; true holds, false fails."""
        if isinstance(verdict, bool):
            verdict = Verdict.HOLDS if verdict else Verdict.FAILS
        self.made.append(Claim(key=key, topic=self._topic, claim=claim, verdict=verdict, why=why))
