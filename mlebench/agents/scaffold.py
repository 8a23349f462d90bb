"""A new agent folder that works at once, for its owner to change."""

from __future__ import annotations

import re
from pathlib import Path

from mlebench.content import content_dir
from mlebench.errors import UsageError

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FILES = {
    "agent.toml.in": "agent.toml",
    "start.py.in": "start.py",
    "README.md.in": "README.md",
    "demo.json.in": "scripted/demo.json",
}


def new_agent(name: str, parent: Path, *, docker: bool = False) -> list[Path]:
    """Write the agent folder `parent`/`name`; `docker` gives it an image of its own. Returns the files.

    Raises UsageError for a name that agents cannot have, and for a folder that is there already.
    """
    folder = parent / name
    if not _NAME.fullmatch(name):
        raise UsageError(f"An agent cannot be named {name!r}: use lower-case letters, digits and . _ - only.")
    if folder.exists():
        raise UsageError(f"{folder} exists already; choose another name.")
    shown = str(folder) if folder.is_absolute() else f"./{folder}"
    words = {
        "@NAME@": name,
        "@PATH@": shown,
        "@IMAGE@": f'image = "mlebench-{name}"\n' if docker else "",
        "@BUILD@": f"      # after: mlebench agents build {shown}" if docker else "",
    }
    files = _FILES | ({"Dockerfile.in": "Dockerfile"} if docker else {})
    written = []
    for source, target in files.items():
        text = (content_dir("agents") / "_template" / source).read_text(encoding="utf-8")
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask is: the agent's user is not the owner
    return written
