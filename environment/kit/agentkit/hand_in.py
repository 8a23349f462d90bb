"""From an agent's working folder to the folders that are kept: its submission and its code.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from agentkit.contract import Surroundings, copy_atomically

SUBMISSION = "submission.csv"
_CODE = {".py", ".sh", ".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini"}
_CODE_BYTES, _CODE_FILES = 1_000_000, 200


class HandIn:
    """Copies the submission, whenever it changed, to where it is graded."""

    def __init__(self, around: Surroundings, folder: Path) -> None:
        self._around, self._found = around, folder / SUBMISSION
        self._last: tuple[int, int] | None = None
        """Modification time and size of the file that was handed in."""

    def look(self, script: Path | None = None, *, whole: bool = True) -> str:
        """Hand in what is new; `script` wrote it. Returns a sentence for the agent, or nothing.

        What a script left that failed (`whole` is False) may be half a file; it is taken only for want of another.
        """
        try:
            facts = self._found.stat()
        except OSError:
            return ""
        mark = (facts.st_mtime_ns, facts.st_size)
        if not self._found.is_file() or facts.st_size == 0 or mark == self._last:
            return ""
        if not whole and self._last is not None:
            return f"{SUBMISSION} was changed by a script that failed, and was not handed in."
        if not copy_atomically(self._found, self._around.submission):
            return f"{SUBMISSION} could not be handed in."
        self._last = mark
        if script is not None:
            copy_atomically(script, self._around.code / "solution.py")
        return f"{SUBMISSION} was handed in."


def collect_code(folder: Path, target: Path, leave_out: Collection[str] = ()) -> None:
    """Copy small text files, such as scripts, from a working folder; links to folders are not followed."""
    for count, path in enumerate(_code_files(folder, leave_out)):
        if count == _CODE_FILES:
            break
        there = target / path.relative_to(folder)
        there.parent.mkdir(parents=True, exist_ok=True)
        copy_atomically(path, there)


def _code_files(folder: Path, leave_out: Collection[str]) -> Iterator[Path]:
    for above, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if name not in leave_out)
        for name in sorted(files):
            path = Path(above) / name
            ours = path.suffix in _CODE and path.is_file() and not path.is_symlink()
            if ours and path.stat().st_size <= _CODE_BYTES:
                yield path
