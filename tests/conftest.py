"""Shared by all tests: the --run-slow switch, and a data directory that no test can confuse with the user's."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code under test; CI tries the same examples every time.
settings.register_profile("mlebench", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mlebench")


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach what tests start: a shell in the background (`make test &`) has everything ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two workers more than processors: many tests wait for agents, deadlines and containers. (2 cores: -23 % time.)"""
    return len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run tests marked slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _keep_groups(config, items)
    if config.getoption("--run-slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --run-slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


def _keep_groups(config: pytest.Config, items: list[pytest.Item]) -> None:
    """See that tests of one xdist_group run on one worker.

    The scheduler reads the group off the end of a test's id. pytest-xdist 3.8 puts it there in a way that pytest 9.2
    no longer notices, so that groups would be torn apart silently.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = "_".join(sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")}))
        if group and not item.nodeid.endswith(f"@{group}"):
            item._id = type(item.id).parse(f"{item.nodeid}@{group}")


@pytest.fixture(autouse=True)
def _isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never touch the user's data, competitions or caches."""
    monkeypatch.setenv("MLEBENCH_DATA_DIR", str(tmp_path / "mlebench-data"))
    monkeypatch.setenv("MLEBENCH_LEASES_DIR", str(tmp_path / "mlebench-leases"))
    monkeypatch.delenv("MLE_BENCH_DATA_DIR", raising=False)
    monkeypatch.delenv("MLEBENCH_COMPETITIONS_DIR", raising=False)
