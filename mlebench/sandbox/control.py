"""The control folder of an attempt: what the host puts before the agent, read-only for it.

instructions.txt         the task sheet, rendered from the agent's environment variables
validate_submission.sh   the client of the validation endpoint
entrypoint.sh            first program in a container
forward.py               brings the sockets to localhost inside a container
kit/agentkit/            the agent kit: Python modules that agents may import (docs/agents.md)
sockets/                 where the host's services put their Unix sockets
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template

from mlebench.content import content_dir
from mlebench.sandbox.layout import KIT_FOLDER

SCRIPTS = ("validate_submission.sh", "entrypoint.sh", "forward.py")


def render_instructions(environment: Mapping[str, str]) -> str:
    """The task sheet; each `$NAME` in environment/instructions.txt is the agent's variable of that name."""
    template = (content_dir("environment") / "instructions.txt").read_text(encoding="utf-8")
    return Template(template).safe_substitute(environment)


def write_control(control: Path, environment: Mapping[str, str]) -> None:
    """Fill the control folder; instructions that are there already are kept.

    Modes are set whatever the umask is: the agent's user is not the owner and must be able to read.
    """
    sockets = control / "sockets"
    sockets.mkdir(parents=True, exist_ok=True)
    for folder in (control, sockets):
        folder.chmod(0o755)
    for name in SCRIPTS:
        _put(control / name, (content_dir("environment") / name).read_bytes())
    _put_kit(control / KIT_FOLDER)
    instructions = control / "instructions.txt"
    if not instructions.exists():
        _put(instructions, render_instructions(environment).encode())
    instructions.chmod(0o644)


def _put_kit(kit: Path) -> None:
    source = content_dir("environment") / KIT_FOLDER
    for module in source.rglob("*.py"):
        target = kit / module.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        _put(target, module.read_bytes())
    for folder in (kit, *(path for path in kit.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _put(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.chmod(0o755 if path.suffix == ".sh" else 0o644)  # the published contract's script is run by its path
    aside.replace(path)


def copy_folder(source: Path, destination: Path) -> None:
    """A private copy of an agent's folder, links kept as links."""
    shutil.copytree(source, destination, symlinks=True, dirs_exist_ok=True)
