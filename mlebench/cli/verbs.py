"""Registers every verb with the application by importing its module."""

from __future__ import annotations

from mlebench.cli import catalog, competitions, demo, grade, leaderboard, prepare, report, run, runs  # noqa: F401
