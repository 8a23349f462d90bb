"""Prepared data that a test may spoil; and lets the tests of data import what lies beside them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.registry import Registry

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves helpers beside the tests to us


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """spaceship-titanic from made-up data, its raw files kept."""
    where = DataDir(tmp_path_factory.mktemp("made") / "data")
    request = SourceRequest("synthetic", scale=0.1)
    prepare_competition(Registry().get("spaceship-titanic"), where, request, keep_raw=True)
    return where


@pytest.fixture
def data_dir(made: DataDir, tmp_path: Path) -> DataDir:
    """A copy of it."""
    return DataDir(Path(shutil.copytree(made.root, tmp_path / "data")))
