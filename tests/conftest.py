"""Shared by all tests: the --run-slow switch, and a data directory that no test can confuse with the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code under test; CI tries the same examples every time.
settings.register_profile("mlebench", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mlebench")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --run-slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never touch the user's data, competitions or caches."""
    monkeypatch.setenv("MLEBENCH_DATA_DIR", str(tmp_path / "mlebench-data"))
    monkeypatch.setenv("MLEBENCH_LEASES_DIR", str(tmp_path / "mlebench-leases"))
    monkeypatch.delenv("MLE_BENCH_DATA_DIR", raising=False)
    monkeypatch.delenv("MLEBENCH_COMPETITIONS_DIR", raising=False)
