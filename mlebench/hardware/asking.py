"""Asking what may never answer: a broken GPU can hang whoever asks it, for ever, and must hang nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """One call in a thread of its own, which is left behind when it hangs."""

    def __init__(self, call: Callable[[], Answer], name: str) -> None:
        self._answered = threading.Event()
        self._answer: Answer | None = None
        self._error: Exception | None = None
        self._began = time.monotonic()
        self._ended = float("inf")
        threading.Thread(target=self._ask, args=(call,), daemon=True, name=name).start()

    def wait(self, seconds: float) -> bool:
        """Whether there is an answer at most `seconds` after it was asked."""
        return self._answered.wait(max(0.0, self._began + seconds - time.monotonic()))

    def answer(self) -> Answer:
        """What was answered, or raise what went wrong; only after `wait` said yes."""
        if self._error is not None:
            raise self._error
        assert self._answered.is_set()
        return self._answer  # type: ignore[return-value]

    @property
    def pending(self) -> bool:
        """Whether it is still waited for."""
        return not self._answered.is_set()

    @property
    def age(self) -> float:
        """Seconds since the answer; less than 0 while there is none."""
        return time.monotonic() - self._ended

    def _ask(self, call: Callable[[], Answer]) -> None:
        try:
            self._answer = call()
        except Exception as error:
            self._error = error
        self._ended = time.monotonic()
        self._answered.set()
