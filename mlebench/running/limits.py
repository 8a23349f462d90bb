"""What ends an attempt from outside: time, disk, budget; and what the agent is told before it comes to that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlebench.duration import format_duration
from mlebench.gateway.api import Usage
from mlebench.running.notices import Notices
from mlebench.running.outputs import DiskWatch
from mlebench.running.records import End, RunConfig

_BUDGETS = {"usd": "dollars", "tokens": "tokens", "calls": "model calls"}


@dataclass(frozen=True)
class Breach:
    """A limit that was come to."""

    end: End
    grace_seconds: float
    """Between SIGTERM and the end."""
    message: str | None = None


class Clock:
    """The deadline, and the warnings before it."""

    def __init__(self, config: RunConfig, started: datetime, deadline: datetime, notices: Notices) -> None:
        self._started, self._deadline = started, deadline
        self._grace = config.grace_seconds
        self._notices = notices
        length = deadline - started
        self._warnings = [(part, started + part * length) for part in sorted(set(config.warn_at))]

    @property
    def left_seconds(self) -> float:
        """Until the deadline; below 0 after it."""
        return (self._deadline - datetime.now(UTC)).total_seconds()

    def breach(self) -> Breach | None:
        """Whether the time is over."""
        return Breach(End.OUT_OF_TIME, self._grace) if self.left_seconds <= 0 else None

    def warn(self) -> None:
        """Tell how much time is left at the set times; of several that passed unwatched only the last."""
        now = datetime.now(UTC)
        passed = [part for part, at in self._warnings if at <= now and not self._notices.told(_about(part))]
        if not passed or now >= self._deadline:
            return
        limit = (self._deadline - self._started).total_seconds()
        left = format_duration(self.left_seconds)
        self._notices.tell(_about(passed[-1]), f"Time: {left} of {format_duration(limit)} are left.")
        self._warnings = [(part, at) for part, at in self._warnings if at > now]

    def seconds_to_next(self) -> float:
        """Until the next warning or the deadline."""
        now = datetime.now(UTC)
        moments = [at for _, at in self._warnings if at > now] + [self._deadline]
        return max(0.0, (min(moments) - now) / timedelta(seconds=1))


def _about(part: float) -> str:
    return f"time {part:g}"


class BudgetWatch:
    """Dollars, tokens and calls. The gateway refuses what goes beyond; here the attempt's end follows from it.

    An agent that used its budget up may go on without models as long as it likes: its last training may still run.
    From the first call that is refused it has a grace to hand in its best.
    """

    def __init__(self, config: RunConfig, notices: Notices, exhausted_at: datetime | None) -> None:
        self._config = config
        self._notices = notices
        self.exhausted_at = exhausted_at
        """When a call was first refused for it."""

    def look(self, usage: Usage) -> bool:
        """Take in the totals; True when just now a call was refused for the first time."""
        self._warn(usage)
        if usage.exhausted is None or self.exhausted_at is not None:
            return False
        self.exhausted_at = datetime.now(UTC)
        what, grace = _BUDGETS.get(usage.exhausted, usage.exhausted), format_duration(self._config.budget_grace_seconds)
        self._notices.tell(
            "budget over",
            f"Budget: the {what} of this attempt are used up and model calls are refused. "
            f"It ends in {grace}; hand in the best submission now.",
        )
        return True

    def _warn(self, usage: Usage) -> None:
        config = self._config
        used = {
            "dollars": (usage.usd, config.budget_usd),
            "tokens": (usage.tokens_in + usage.tokens_out, config.budget_tokens),
            "model calls": (usage.calls, config.budget_calls),
        }
        for what, (spent, limit) in used.items():
            if spent is None or not limit:
                continue
            passed = [part for part in config.warn_at if spent >= part * limit]
            if passed:
                about = f"budget {what} {max(passed):g}"
                self._notices.tell(about, f"Budget: {spent:.6g} of {limit:.6g} {what} are used.")

    def breach(self) -> Breach | None:
        """Whether the grace is over."""
        if self.exhausted_at is None:
            return None
        over = (datetime.now(UTC) - self.exhausted_at).total_seconds()
        if over < self._config.budget_grace_seconds:
            return None
        message = "The agent went on after its model budget was used up and was ended."
        return Breach(End.OUT_OF_BUDGET, self._config.grace_seconds, message)


@dataclass(frozen=True)
class Limits:
    """All limits of one attempt."""

    clock: Clock
    disk: DiskWatch
    budget: BudgetWatch

    def breach(self) -> Breach | None:
        """The limit that was come to, if any."""
        full = Breach(End.OUT_OF_DISK, 0.0, self.disk.message) if self.disk.full() else None
        return self.clock.breach() or full or self.budget.breach()
