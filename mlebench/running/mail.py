"""What the threads of a run's attempts send to its driver, who alone writes the store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from mlebench.running.records import Attempt


@dataclass(frozen=True)
class Over:
    """A thread's last word."""

    attempt_id: str
    failure: str | None = None
    passing: bool = False
    """The failure is that no engine answers or the disk is full: nothing is lost by waiting."""
    no_share: bool = False
    """It did not begin, since nothing of the machine is free; the failure says who holds it, or is empty."""


@dataclass(frozen=True)
class Request:
    """Something a thread wants done to the store."""

    work: Callable[[], Attempt]
    reply: Future[Attempt] = field(default_factory=Future)


def answer(request: Request) -> None:
    """Do it, on the driver's thread, and give the result or the error to the thread that asked."""
    try:
        request.reply.set_result(request.work())
    except Exception as error:
        request.reply.set_exception(error)
