"""AIDE's output as the driver reads it: while the script runs, within bounds."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aide_driver.output import DrainedQueue, PatientEvents


def _print(pieces: list[str], then: str, output: Any) -> None:
    for piece in pieces:
        output.put(piece)
    output.close()
    output.join_thread()
    if then == "die":
        os._exit(9)


def drained(pieces: list[str], limit: int, then: str = "end") -> DrainedQueue:
    context = multiprocessing.get_context("fork")
    source: Any = context.Queue()
    child = context.Process(target=_print, args=(pieces, then, source))
    child.start()
    output = DrainedQueue(source, limit)
    assert output.complete.wait(60)
    child.join(30)
    return output


def test_the_end_of_a_long_output_is_kept() -> None:
    pieces = [f"line {number}\n" for number in range(20_000)] + ["score 0.9\n", "<|EOF|>"]
    output = drained(pieces, 1000)
    got = [output.get(timeout=5)]
    while got[-1] != "<|EOF|>":
        got.append(output.get(timeout=5))
    text = "".join(got)
    assert text.startswith("line 0\nline 1\n") and text.endswith("score 0.9\n<|EOF|>")
    assert "characters left out" in text and len(text) < 1200
    with pytest.raises(queue.Empty):
        output.get(timeout=0.01)


def test_short_outputs_and_those_of_the_dead_are_whole() -> None:
    pieces = ["one\n", "", "two\n", "x" * 300]
    for then in ("end", "die"):
        assert "".join(drained(pieces, 1000, then).everything()) == "".join(pieces)
    text = "".join(drained(["y" * 10**6, "END"], 1000).everything())
    assert len(text) < 1100 and "999,003 characters left out" in text and text.endswith("y" * 497 + "END")


def test_events_wait_for_a_slow_start_and_for_the_output() -> None:
    events: queue.Queue[str] = queue.Queue()
    threading.Timer(1.2, events.put, ["ready"]).start()
    output: Any = SimpleNamespace(complete=threading.Event())
    patient = PatientEvents(events, lambda: True, output)
    assert patient.get(timeout=0.1) == "ready"
    events.put("finished")
    threading.Timer(0.5, output.complete.set).start()
    started = time.monotonic()
    assert patient.get(timeout=0.1) == "finished" and time.monotonic() - started > 0.4
    with pytest.raises(queue.Empty):
        patient.get(timeout=0.1)


def test_a_dead_or_endless_start_is_not_waited_for() -> None:
    started = time.monotonic()
    for alive, seconds in ((False, 60.0), (True, 0.1)):
        with pytest.raises(queue.Empty):
            PatientEvents(queue.Queue(), lambda alive=alive: alive, None, seconds).get(timeout=10)  # type: ignore
    assert time.monotonic() - started < 5
