"""What may be mounted into a container: never the answers, never the engine's socket."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from mlebench.errors import SandboxError

_DEPTH = 3
"""<data-dir>/<id>/prepared/private: a folder this far above the answers still contains them."""


def mountable(path: Path, what: str) -> Path:
    """The resolved path if an agent may see all of it, else SandboxError."""
    resolved = path.resolve()
    if not resolved.exists():
        raise SandboxError(f"The {what} {path} does not exist; it cannot be given to the agent.")
    parts = resolved.parts[2:] if sys.platform == "darwin" and resolved.parts[1:2] == ("private",) else resolved.parts
    if "private" in parts:
        raise SandboxError(f"The {what} {path} lies in a folder named private, which may hold answers; move it.")
    inside = _private_below(resolved, _DEPTH)
    if inside is not None:
        raise SandboxError(f"The {what} {path} contains {inside}, which may hold answers; remove or rename it.")
    for engine in _engine_sockets():
        if resolved == engine or resolved in engine.parents:
            raise SandboxError(f"The {what} {path} would show the container engine's socket {engine} to the agent.")
    if stat.S_ISSOCK(resolved.stat().st_mode):
        raise SandboxError(f"The {what} {path} is a socket; only files and folders are given to agents.")
    return resolved


def readable_by_others(path: Path, what: str) -> None:
    """Raise SandboxError when another user, as the agent in a container is for root, could not read `path`."""
    mode = path.stat().st_mode
    needed = 0o005 if stat.S_ISDIR(mode) else 0o004
    if mode & needed != needed:
        raise SandboxError(f"The {what} {path} cannot be read by the agent's user; run `chmod -R a+rX {path}`.")


def _private_below(folder: Path, depth: int) -> Path | None:
    if depth == 0 or not folder.is_dir():
        return None
    below: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name == "private":
                        return Path(entry.path)
                    below.append(Path(entry.path))
    except PermissionError:
        return None
    return next((found for path in below if (found := _private_below(path, depth - 1))), None)


def _engine_sockets() -> list[Path]:
    host = os.environ.get("DOCKER_HOST", "")
    paths = [Path("/var/run/docker.sock"), Path("/run/docker.sock")]
    if host.startswith("unix://"):
        paths.append(Path(host.removeprefix("unix://")))
    return [path.resolve() for path in paths]
