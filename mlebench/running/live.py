"""How a running attempt fares, beside the run store: for people who watch, never for decisions."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mlebench.gateway.api import Usage
from mlebench.hardware.api import Telemetry

LIVE_FILE = "live.json"


class Live(BaseModel):
    """What is known while an attempt runs, as of a few seconds ago."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True)

    validations: int = 0
    snapshots: int = 0
    usage: Usage | None = None
    telemetry: Telemetry | None = None


class LiveFile:
    """live.json in an attempt's folder; gone when its agent is over."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LIVE_FILE
        self._last: Live | None = None

    def write(self, live: Live) -> None:
        """Replace it, if anything changed; a disk that is full is no reason to end an attempt."""
        if live == self._last:
            return
        self._last = live
        aside = self._path.with_name(f".{LIVE_FILE}.partial")
        with suppress(OSError):
            aside.write_text(live.model_dump_json(), encoding="utf-8")
            aside.replace(self._path)

    def drop(self) -> None:
        """Remove it."""
        self._path.unlink(missing_ok=True)


def read_live(folder: Path) -> Live | None:
    """What a runner wrote last; None where no agent runs."""
    try:
        return Live.model_validate(json.loads((folder / LIVE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None
