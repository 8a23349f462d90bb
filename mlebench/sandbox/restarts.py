"""Telling an agent's own end from one that the engine's restart made, for the containers of one DockerSandbox."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlebench.sandbox.engine import (
    KILLED,
    RESTORE_SECONDS,
    EngineAwayError,
    ended_before,
    ended_by_restart,
    engine_errors,
    engine_process,
)

if TYPE_CHECKING:
    from docker.models.containers import Container

_LABEL = "mlebench.engine"
"""Which engine process started the container: another one now means that the engine was restarted meanwhile."""


class Restarts:
    """What was seen of the engine and of the containers so far. Threads may share one."""

    def __init__(self, client: Callable[[], Any]) -> None:
        """`client`: gives the engine's client of the SDK."""
        self._client = client
        self._seen: dict[str, float] = {}
        self._stopped: set[str] = set()
        self._away_at = 0.0
        """When the engine last failed to answer (seconds since the epoch)."""

    def label(self) -> dict[str, str]:
        """For a container that is about to be created; empty where the engine's process cannot be told.

        Podman's containers do not depend on the process that answers; its restarts end nothing.
        """
        engine = engine_process(self._client().api.base_url)
        return {_LABEL: engine.mark} if engine is not None else {}

    def runs(self, handle: str) -> None:
        """The container was seen running."""
        self._seen[handle] = time.time()

    def away(self) -> None:
        """The engine did not answer."""
        self._away_at = time.time()

    def stopped(self, handle: str) -> None:
        """We are about to stop the container: whatever its end looks like, it is ours."""
        self._stopped.add(handle)

    def forget(self, handle: str) -> None:
        """The container is removed."""
        self._seen.pop(handle, None)
        self._stopped.discard(handle)

    def ended(self, handle: str, container: Container) -> bool:
        """Whether the engine's restart, and not the agent, ended the container; EngineAwayError while it is unclear."""
        if handle in self._stopped:
            return False
        self._reconnect()
        state, mark = container.attrs["State"], container.labels.get(_LABEL)
        engine = engine_process(self._client().api.base_url)
        if ended_by_restart(state, mark, engine):
            return True
        # It ran when we looked last, then the engine was away, and now it is over: whatever its code, SIGTERM made it.
        if not 0 < self._seen.get(handle, 0) <= self._away_at:
            return False
        if engine is None or mark is None:
            return int(state["ExitCode"]) in KILLED
        return engine.mark != mark and ended_before(state, engine.started + RESTORE_SECONDS)

    def _reconnect(self) -> None:
        """Raise EngineAwayError when no new connection is taken: an engine that shuts down closes its door, then ends
        the containers, and goes on answering old connections meanwhile. Whose fault an end was shows afterwards.
        """
        import docker

        try:
            with engine_errors():
                client = docker.from_env(timeout=120, version=self._client().api._version)
                try:
                    client.ping()
                finally:
                    client.close()
        except EngineAwayError:
            self.away()
            raise
