"""Agent folders and a container engine for the tests of `mlebench agents`."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mlebench.agents.images import Engine, Held
from mlebench.errors import SandboxError


def mlebench(*arguments: str, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does; a traceback is never right."""
    command = [sys.executable, "-m", "mlebench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **environment})
    assert "Traceback" not in done.stderr, done.stderr
    return done


def make_agent(folder: Path, dockerfile: str | None = None, toml: str = "") -> Path:
    """An agent folder, whose image (where it has a Dockerfile) is named after it."""
    folder.mkdir(parents=True, exist_ok=True)
    image = f'image = "mlebench-{folder.name}"\n' if dockerfile is not None else ""
    text = f'name = "{folder.name}"\ntitle = "T"\ncommand = ["python3", "start.py"]\n{image}{toml}'
    (folder / "agent.toml").write_text(text)
    (folder / "start.py").write_text("print('started')\n")
    if dockerfile is not None:
        (folder / "Dockerfile").write_text(dockerfile)
    return folder


@functools.cache
def prepared_data(competition: str = "practice-breast-cancer") -> Path:
    """A data directory with one practice competition in it, made once a test process."""
    from mlebench.data.paths import DataDir
    from mlebench.data.prepare import prepare_competition
    from mlebench.registry import Registry

    root = Path(tempfile.mkdtemp(prefix="mlebench-tests-"))
    root.chmod(0o755)
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    prepare_competition(Registry().get(competition), DataDir(root))
    return root


def need_engine(image: str | None = "mlebench-agent") -> Engine:
    """The engine, or a skip with the reason (a failure where MLEBENCH_REQUIRE_DOCKER is set)."""
    try:
        engine = Engine()
        if image is not None and engine.held(image) is None:
            raise SandboxError(f"the image {image} is not built")
    except SandboxError as problem:
        if os.environ.get("MLEBENCH_REQUIRE_DOCKER"):
            pytest.fail(str(problem))
        pytest.skip(str(problem))
    return engine


@contextmanager
def dropping(engine: Engine, *images: str) -> Iterator[None]:
    """Remove these images afterwards."""
    try:
        yield
    finally:
        for image in images:
            if engine.held(image) is not None:
                engine.client.images.remove(image, force=True)


@dataclass
class PretendEngine:
    """An engine that has what it is told to have."""

    images: dict[str, Held] = field(default_factory=dict)

    def held(self, image: str) -> Held | None:
        return self.images.get(image)
