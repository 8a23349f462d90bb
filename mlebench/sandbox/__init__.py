"""Where an agent runs: one interface, two providers (a container, a plain process)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlebench.errors import UsageError

if TYPE_CHECKING:
    from mlebench.sandbox.base import Sandbox

SANDBOXES = ("docker", "process")
"""Names that `get_sandbox` knows."""


def get_sandbox(name: str) -> Sandbox:
    """The provider of this name; nothing is contacted until its `check` or `start` is called."""
    if name == "docker":
        from mlebench.sandbox.docker import DockerSandbox

        return DockerSandbox()
    if name == "process":
        from mlebench.sandbox.process import ProcessSandbox

        return ProcessSandbox()
    raise UsageError(f"There is no sandbox {name!r}: use {' or '.join(SANDBOXES)}.")
