"""The agent's folder: names that stay inside it, data that is only read, old versions of edited scripts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from agentkit.contract import copy_atomically, write_atomically

BACKUPS = ".backups"
_LONGEST_LISTING = 10_000


class ToolError(Exception):
    """What an action cannot do; the sentence is the agent's observation."""


class Workspace:
    """A folder with `input`, a link to the data."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self._data = data.resolve()
        root.mkdir(parents=True, exist_ok=True)
        (root / "input").symlink_to(self._data)
        (root / BACKUPS).mkdir()

    def path(self, name: str, *, write: bool = False) -> Path:
        """The file that a name means. Raises ToolError for one outside of the folder, or read-only."""
        name = name.strip() or "."
        if "\0" in name:
            raise ToolError("A file name cannot hold a zero byte.")
        path = Path(os.path.normpath(self.root / name))
        real = path.resolve()
        inside = real.is_relative_to(self.root.resolve())
        data = real.is_relative_to(self._data)
        if not (inside or data) or not path.is_relative_to(self.root):
            raise ToolError(f"{name} is outside of the working folder.")
        if write and (data or path.is_relative_to(self.root / BACKUPS) or path == self.root):
            raise ToolError(f"{name} is read-only.")
        return path

    def read(self, name: str) -> str:
        """A text file's content."""
        path = self.path(name)
        if not path.is_file():
            raise ToolError(f"There is no file {name}.")
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError as problem:
            raise ToolError(f"{name} cannot be read: {problem.strerror}.") from None

    def write(self, name: str, content: str) -> None:
        """Write a text file, with the folders above it."""
        path = self.path(name, write=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content.encode("utf-8", errors="replace"))
        except OSError as problem:
            raise ToolError(f"{name} cannot be written: {problem.strerror}.") from None

    def listing(self, name: str) -> str:
        """What lies in a folder, folders marked by a slash."""
        path = self.path(name)
        if not path.is_dir():
            raise ToolError(f"There is no folder {name}.")
        lines = []
        for entry in sorted(path.iterdir(), key=lambda one: one.name):
            if entry.name != BACKUPS:
                size = "" if entry.is_dir() or not entry.exists() else f" ({entry.stat().st_size:,} bytes)"
                lines.append(f"{entry.name}/" if entry.is_dir() else f"{entry.name}{size}")
        text = "\n".join(lines) or "(empty)"
        return text if len(text) <= _LONGEST_LISTING else text[:_LONGEST_LISTING] + f"\n... ({len(lines)} entries)"

    def copy(self, source: str, destination: str) -> None:
        """Copy a file within the folder."""
        here, there = self.path(source), self.path(destination, write=True)
        if not here.is_file():
            raise ToolError(f"There is no file {source}.")
        if there.is_dir():
            there = there / here.name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not copy_atomically(here, there):
            raise ToolError(f"{source} cannot be copied to {destination}.")

    def back_up(self, name: str) -> None:
        """Keep the present version of a script, whatever folder it is in."""
        path = self.path(name)
        if path.is_file():
            folder = self._versions(path)
            folder.mkdir(parents=True, exist_ok=True)
            number = max((int(old.name) for old in folder.iterdir()), default=0) + 1
            shutil.copyfile(path, folder / str(number))

    def undo(self, name: str) -> str:
        """Bring the version before the last edit back; returns its content."""
        path = self.path(name, write=True)
        folder = self._versions(path)
        versions = sorted((int(old.name) for old in folder.iterdir()), reverse=True) if folder.is_dir() else []
        if not versions:
            raise ToolError(f"There is no edit of {name} to undo.")
        newest = folder / str(versions[0])
        shutil.copyfile(newest, path)
        newest.unlink()
        return path.read_text(encoding="utf-8", errors="replace")

    def _versions(self, path: Path) -> Path:
        return self.root / BACKUPS / path.relative_to(self.root)
