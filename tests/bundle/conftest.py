"""Bundles made by the real runner on a sandbox that only pretends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Tests are no package: helpers beside them, and those that rooms share, are found by path.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "running"))
sys.path.insert(0, str(Path(__file__).parent))
from running_kit import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)
