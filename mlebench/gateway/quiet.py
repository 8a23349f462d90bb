"""Logs that nobody can fill: what goes wrong is told a number of times, and then no more."""

from __future__ import annotations

import logging
import sys

_MOST = 200
_LONGEST = 2_000


class _Limited(logging.StreamHandler):
    """Writes so many records to standard error, each cut to a length."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._left = _MOST

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record)[:_LONGEST]

    def emit(self, record: logging.LogRecord) -> None:
        if self._left > 0:
            self._left -= 1
            super().emit(record)
            if self._left == 0:
                print("Further complaints are not told.", file=sys.stderr, flush=True)


def limit_logging() -> None:
    """Send what this process's libraries complain about to standard error, within bounds."""
    logging.basicConfig(handlers=[_Limited()], level=logging.WARNING, force=True)


def silent() -> logging.Logger:
    """A logger that says nothing: for complaints about malformed requests, which hold the agent's own bytes."""
    logger = logging.getLogger("mlebench.gateway.silent")
    logger.disabled = True
    return logger
