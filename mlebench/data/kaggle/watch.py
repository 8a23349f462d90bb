"""What a download tells whoever watches, and how it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass
class Watch:
    """Functions that are called as downloads go on, from several threads."""

    begin: Callable[[str, int, int | None], Any] = lambda *_: None
    """Competition, bytes that are here already, size of the zip."""
    advance: Callable[[str, int], Any] = lambda *_: None
    """Competition, bytes that came; negative when the file starts over."""
    note: Callable[[str, str], Any] = lambda *_: None
    """Competition, a few words: waiting, starting over."""
    end: Callable[[str, bool], Any] = lambda *_: None
    """Competition, whether its zip is whole."""


class Stop(threading.Event):
    """Ends downloads, those included that wait for bytes which do not come."""

    def __init__(self) -> None:
        super().__init__()
        self._aborts: set[Callable[[], Any]] = set()

    def on_set(self, abort: Callable[[], Any]) -> None:
        """Call `abort` when set."""
        self._aborts.add(abort)

    def forget(self, abort: Callable[[], Any]) -> None:
        """No longer call `abort`."""
        self._aborts.discard(abort)

    def set(self) -> None:
        """Tell everybody to stop."""
        super().set()
        for abort in list(self._aborts):
            with suppress(Exception):
                abort()
