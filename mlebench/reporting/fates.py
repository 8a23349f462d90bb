"""What became of each attempt: one fate for each, so that the counts add up to the attempts of a run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from mlebench.grading.report import Outcome
from mlebench.running.records import Attempt, End


class Fate(StrEnum):
    """What became of an attempt, in the order reports show it."""

    SCORED = "scored"
    INVALID = "invalid"
    NO_SUBMISSION = "no_submission"
    """The agent ended by itself and left none."""
    OUT_OF_TIME = "out_of_time"
    """No submission when the time was over; a submission left by then is graded all the same."""
    CRASHED = "crashed"
    """No submission, and the agent ended with an error."""
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    OUT_OF_BUDGET = "out_of_budget"
    """No submission when the dollars, tokens or calls of its models were used up."""
    OUT_OF_STEPS = "out_of_steps"
    """No submission when the agent, by its own word, came to its step limit."""
    MODEL_FAILURE = "model_failure"
    """No submission, and the agent says that its model kept failing."""
    GRADER_ERROR = "grader_error"
    """A bug of ours; re-gradable."""
    INFRASTRUCTURE = "infrastructure"
    """The sandbox failed, not the agent."""
    CANCELLED = "cancelled"
    UNFINISHED = "unfinished"
    """Queued, running, or not graded yet."""


_WITHOUT_SUBMISSION = {
    End.OUT_OF_TIME: Fate.OUT_OF_TIME,
    End.CRASHED: Fate.CRASHED,
    End.OUT_OF_MEMORY: Fate.OUT_OF_MEMORY,
    End.OUT_OF_DISK: Fate.OUT_OF_DISK,
    End.OUT_OF_BUDGET: Fate.OUT_OF_BUDGET,
    End.OUT_OF_STEPS: Fate.OUT_OF_STEPS,
    End.MODEL_FAILURE: Fate.MODEL_FAILURE,
    End.CANCELLED: Fate.CANCELLED,
}


class FateCount(BaseModel):
    """How many attempts shared a fate (and, where invalid, its reason)."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    fate: Fate
    reason: str | None = None
    """Code of mlebench.errors.Reason, for invalid submissions."""
    attempts: list[str]
    """Ids of the attempts."""
    share: float
    """Of all planned attempts."""

    @property
    def count(self) -> int:
        """How many."""
        return len(self.attempts)


class EndCount(BaseModel):
    """How many attempts ended in one way, whatever their submission earned."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    end: End | None
    """None: not ended yet."""
    count: int


def count_ends(attempts: Iterable[Attempt]) -> list[EndCount]:
    """Counts by end, in the order of `End`; those that have not ended come last."""
    ends = [attempt.end for attempt in attempts]
    return [EndCount(end=end, count=count) for end in (*End, None) if (count := ends.count(end))]


def fate_of(attempt: Attempt) -> Fate:
    """What became of one attempt."""
    if attempt.end is End.INFRASTRUCTURE:
        return Fate.INFRASTRUCTURE
    if attempt.grade is None:
        return Fate.CANCELLED if attempt.end is End.CANCELLED else Fate.UNFINISHED
    match attempt.grade.outcome:
        case Outcome.GRADED:
            return Fate.SCORED
        case Outcome.INVALID:
            return Fate.INVALID
        case Outcome.GRADER_ERROR:
            return Fate.GRADER_ERROR
        case Outcome.NO_SUBMISSION:
            if attempt.end is None:
                return Fate.NO_SUBMISSION
            return _WITHOUT_SUBMISSION.get(attempt.end, Fate.NO_SUBMISSION)


def count_fates(attempts: Iterable[Attempt]) -> list[FateCount]:
    """Counts by fate and reason, in the order of `Fate`, most frequent reason first."""
    found: dict[tuple[Fate, str | None], list[str]] = {}
    for attempt in attempts:
        fate = fate_of(attempt)
        reason = attempt.grade.reason if attempt.grade and fate is Fate.INVALID else None
        found.setdefault((fate, reason), []).append(attempt.id)
    total = sum(map(len, found.values()))
    order = list(Fate)
    rows = sorted(found.items(), key=lambda item: (order.index(item[0][0]), -len(item[1]), item[0][1] or ""))
    return [FateCount(fate=fate, reason=reason, attempts=ids, share=len(ids) / total) for (fate, reason), ids in rows]
