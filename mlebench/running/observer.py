"""Who is told how a run goes on."""

from __future__ import annotations

from typing import Protocol

from mlebench.running.records import Attempt


class Observer(Protocol):
    """Is told what happens, on the driver's thread."""

    def changed(self, attempt: Attempt, note: str) -> None:
        """An attempt's state or fields changed."""
        ...

    def waiting(self, why: str) -> None:
        """Nothing can be started at the moment; a sentence says why."""
        ...

    def stopping(self, running: int) -> None:
        """The user asked to end; `running` attempts are being stopped."""
        ...
