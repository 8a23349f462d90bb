"""The baseline agent is no installed package: it is a folder whose modules import each other."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlebench.content import content_dir
from mlebench.data.paths import PreparedPaths

sys.path.insert(0, str(content_dir("agents") / "baseline"))
sys.path.insert(0, str(Path(__file__).parent))  # importlib mode leaves helpers beside the tests to us
sys.path.insert(0, str(content_dir("environment") / "kit"))
for scaffold in ("aide", "mlab-style", "mlab"):
    sys.path.insert(0, str(content_dir("agents") / scaffold))


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> PreparedPaths:
    """A practice competition, prepared; readable by an agent's user."""
    from scaffold_kit import open_to_others, prepare_practice

    root = tmp_path_factory.mktemp("practice")
    open_to_others(root)
    return prepare_practice(root / "data")


@pytest.fixture(scope="session")
def scaffold_image(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Builds an agent's image as `mlebench agents build` does, unless it is up to date, and returns its name."""
    from scaffold_kit import build_image

    lock = tmp_path_factory.getbasetemp()
    lock = (lock.parent if os.environ.get("PYTEST_XDIST_WORKER") else lock) / "images.lock"
    return lambda agent: build_image(agent, lock)
