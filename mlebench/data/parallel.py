"""Threads for work whose time goes to the disk, to zlib or to hashing, all of which let other threads run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

MAX_WORKERS = 8
"""More threads of Python get in each other's way."""
_BATCH = 32
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def usual_workers() -> int:
    """One thread for each processor that this process may use, at most MAX_WORKERS."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MAX_WORKERS, usable)


def in_parallel(
    work: Callable[[_Item], _Result], items: Iterable[_Item], workers: int = 0, *, batch: int = _BATCH
) -> list[_Result]:
    """`work` of every item, in the order of the items; `workers` threads (0: `usual_workers`) take `batch` at a time.

    After the first error no further item is begun, and that error is raised once what had begun is over.
    """
    workers = workers or usual_workers()
    if workers <= 1:
        return [work(item) for item in items]
    failed = threading.Event()

    def share(some: list[_Item]) -> list[_Result]:
        done = []
        for item in some:
            if failed.is_set():
                break
            try:
                done.append(work(item))
            except BaseException:
                failed.set()
                raise
        return done

    iterator = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        futures = []
        try:
            while some := list(islice(iterator, batch)):
                futures.append(pool.submit(share, some))
            error = next((problem for future in futures if (problem := future.exception())), None)
        except BaseException:  # Ctrl-C while waiting
            failed.set()
            raise
    if error is not None:
        raise error
    return [result for future in futures for result in future.result()]
