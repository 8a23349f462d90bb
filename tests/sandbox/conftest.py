from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlebench.errors import SandboxError
from mlebench.sandbox.docker import DEFAULT_IMAGE, DockerSandbox
from mlebench.sandbox.process import ProcessSandbox

sys.path.insert(0, str(Path(__file__).parents[1]))  # importlib mode leaves helpers beside the tests to us
from toys import Attempt, Toy, make_toy


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return make_toy(tmp_path)


@pytest.fixture(scope="session")
def engine() -> DockerSandbox:
    """The container sandbox, or a skip with the reason why there is none."""
    sandbox = DockerSandbox()
    try:
        sandbox.check()
        images = [tag for image in sandbox._client.images.list() for tag in image.tags]
    except SandboxError as problem:
        missing = str(problem)
    else:
        if f"{DEFAULT_IMAGE}:latest" in images:
            return sandbox
        missing = f"the image {DEFAULT_IMAGE} is not built (make image)"
    if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def in_container(engine: DockerSandbox, toy: Toy) -> Iterator[Callable[..., Attempt]]:
    """Makes attempts whose containers are gone after the test."""
    made: list[Attempt] = []

    def make(script: str, **options: Any) -> Attempt:
        made.append(Attempt(toy, script, name=f"mlebench-test-{uuid.uuid4().hex[:10]}", **options))
        return made[-1]

    yield make
    for attempt in made:
        engine.remove(attempt.handle or attempt.name)


@pytest.fixture
def as_process(toy: Toy) -> Iterator[Callable[..., Attempt]]:
    """Makes attempts whose processes are gone after the test."""
    made: list[Attempt] = []

    def make(script: str, **options: Any) -> Attempt:
        made.append(Attempt(toy, script, name=f"p{len(made)}-{uuid.uuid4().hex[:8]}", **options))
        return made[-1]

    yield make
    for attempt in made:
        if attempt.handle:
            ProcessSandbox().remove(attempt.handle)
