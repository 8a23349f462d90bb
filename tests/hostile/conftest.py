from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # importlib mode leaves helpers beside the tests to us
sys.path.insert(0, str(Path(__file__).parent))

from mlebench.errors import SandboxError
from mlebench.sandbox.docker import DEFAULT_IMAGE, DockerSandbox


@pytest.fixture(scope="session")
def engine() -> DockerSandbox:
    """The container sandbox, or a skip with the reason why there is none."""
    sandbox = DockerSandbox()
    try:
        sandbox.check(DEFAULT_IMAGE)
    except SandboxError as problem:
        if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    return sandbox
