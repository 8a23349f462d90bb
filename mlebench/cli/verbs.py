"""Registers every verb with the application by importing its module."""

from __future__ import annotations

from mlebench.cli import (  # noqa: F401
    agents,
    bundle,
    catalog,
    competitions,
    demo,
    disk,
    doctor,
    grade,
    leaderboard,
    mirror,
    prepare,
    report,
    run,
    runs,
    runs_control,
    runs_logs,
    runs_watch,
    verify,
)
