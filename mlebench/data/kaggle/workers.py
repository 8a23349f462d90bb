"""Threads that ask Kaggle, and that nobody has to wait for when the user wants to stop.

Those of a ThreadPoolExecutor are waited for at the end of the process, however long they sit in a connection that
says nothing. Whatever these do can be killed at any moment, so it can be left behind as well.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Runs tasks in `count` threads, in the order in which they were given."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._futures: list[Future[Any]] = []
        self._threads = 0

    def submit(self, task: Callable[P, T], *args: P.args, **options: P.kwargs) -> Future[T]:
        """Have the task done as soon as a thread is free."""
        future: Future[T] = Future()
        self._futures.append(future)
        self._waiting.put((future, lambda: task(*args, **options)))
        if self._threads < self._count:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name=f"{self._name}-{self._threads}").start()
        return future

    def leave(self, patience: float) -> None:
        """Begin nothing more, wait a moment for what has begun, and leave behind what has not ended by then."""
        wait([one for one in self._futures if not one.cancel()], timeout=patience)

    def _work(self) -> None:
        while True:
            future, task = self._waiting.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error)
