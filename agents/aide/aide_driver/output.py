"""A script's output, read while it runs.

AIDE reads it only once the script is done, and for five seconds: of long outputs the end is lost, with the metric in it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

END_MARK = "<|EOF|>"
"""What AIDE's child puts after a script's output."""
_CATCH_UP_SECONDS = 120.0
"""Only a burst of hundreds of thousands of lines takes long: the rest was read while the script ran."""


class DrainedQueue:
    """Takes the place of a multiprocessing queue in the process that reads it; keeps the beginning and the end.

    Make it after the writing process was started: no thread may run while a process is forked.
    """

    def __init__(self, source: Any, limit: int) -> None:
        """`limit`: characters to keep."""
        self._source, self._half = source, limit // 2
        self._head: deque[str] = deque()
        self._tail: deque[str] = deque()
        self._head_size = self._tail_size = self._left_out = 0
        self._changed = threading.Condition()
        self.complete = threading.Event()
        """Set once the end was seen: AIDE's mark, or that of the pipe."""
        self.taken: list[str] = []
        """What `get` returned so far."""
        source._writer.close()  # ours: so the pipe ends with the last process that writes
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def empty(self) -> bool:
        """Whether `get` would have to wait."""
        with self._changed:
            return not (self._head or self._tail)

    def get(self, block: bool = True, timeout: float | None = None) -> str:
        """The next piece; queue.Empty when there is none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._head or self._tail, timeout if block else 0):
                raise queue.Empty
            if self._head:
                piece = self._head.popleft()
            elif self._left_out:
                piece = f"\n... ({self._left_out:,} characters left out) ...\n"
                self._left_out = 0
            else:
                piece = self._tail.popleft()
                self._tail_size -= len(piece)
            self.taken.append(piece)
            return piece

    def everything(self) -> list[str]:
        """All that is kept, taken or not, once nothing more can come."""
        self._thread.join(5)
        with suppress(queue.Empty):
            while True:
                self.get(timeout=0)
        return self.taken

    def _read(self) -> None:
        with suppress(EOFError, OSError, ValueError):
            while True:
                piece = str(self._source.get())
                with self._changed:
                    self._keep(piece)
                    self._changed.notify_all()
                if piece == END_MARK:
                    self.complete.set()
        self.complete.set()

    def _keep(self, piece: str) -> None:
        room = self._half - self._head_size
        if room >= len(piece) and not self._tail:
            self._head.append(piece)
            self._head_size += len(piece)
            return
        if room > 0 and not self._tail:
            self._head.append(piece[:room])
            self._head_size, piece = self._half, piece[room:]
        self._tail.append(piece)
        self._tail_size += len(piece)
        while (excess := self._tail_size - self._half) > 0:
            oldest = self._tail.popleft()
            gone = min(excess, len(oldest))
            if gone < len(oldest):
                self._tail.appendleft(oldest[gone:])
            self._tail_size -= gone
            self._left_out += gone


class PatientEvents:
    """The queue of a script's two events, `ready` and `finished`.

    The first is waited for as long as the process lives, not for ten seconds at most; the second comes when the
    output is complete.
    """

    def __init__(self, source: Any, alive: Callable[[], bool], output: DrainedQueue, seconds: float = 120.0) -> None:
        """`seconds`: the longest wait for the first."""
        self._source, self._alive, self._output, self._seconds = source, alive, output, seconds
        self._begun = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next event; queue.Empty when there is none."""
        if self._begun:
            event = self._source.get(block, timeout)
            self._output.complete.wait(_CATCH_UP_SECONDS)
            return event
        deadline = time.monotonic() + self._seconds
        while True:
            living = self._alive()  # asked first: what it sent before its death is there then
            try:
                event = self._source.get(timeout=0.5)
            except queue.Empty:
                if not living or time.monotonic() > deadline:
                    raise
                continue
            self._begun = True
            return event
