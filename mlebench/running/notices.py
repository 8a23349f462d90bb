"""What an agent is told while it runs: lines in a file that it can read and not write."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlebench.running.events import EventLog


class Notices:
    """The notices of one attempt. Every one has a key and is told once, also over restarts of the runner."""

    def __init__(self, path: Path, log: EventLog, past: list[dict[str, Any]]) -> None:
        """`past`: the events of this try so far."""
        self._path = path
        self._log = log
        self._told = {str(event["about"]) for event in past if event["event"] == "notice"}

    def open(self) -> None:
        """Make the file, so that an agent that follows it finds it from the start; one that is there is kept."""
        if not self._path.exists():
            self._write("")

    def told(self, about: str) -> bool:
        """Whether the agent was told of this already."""
        return about in self._told

    def tell(self, about: str, sentence: str) -> None:
        """Add a line, unless one with this key was told before."""
        if about in self._told:
            return
        self._told.add(about)
        self._log.append("notice", about=about, text=sentence)
        try:
            before = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            before = ""
        self._write(f"{before}{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {sentence}\n")

    def _write(self, text: str) -> None:
        # The folder, not the file, is what the sandbox shows to the agent: a renamed file is seen there.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.partial")
        aside.write_text(text, encoding="utf-8")
        aside.chmod(0o644)
        aside.replace(self._path)
