"""What a download tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
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
