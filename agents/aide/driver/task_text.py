"""What AIDE is told of the task: the instructions and the description, in the paths of AIDE's workspace.

AIDE's prompts speak of ./input and ./working; the task must speak of the same places.
"""

from __future__ import annotations

import math
from pathlib import Path

from contract import Surroundings

INPUT, WORKING = "./input", "./working"
SUBMISSION = f"{WORKING}/submission.csv"


def task_text(around: Surroundings, *, exec_timeout: float) -> str:
    """The whole text: instructions, facts about this attempt, the competition's description."""
    parts = [instructions(around), facts(around, exec_timeout=exec_timeout), description(around)]
    return "\n\n------\n\n".join(part for part in parts if part)


def instructions(around: Surroundings) -> str:
    """The task sheet; entries for folders that the driver looks after are left out."""
    text = _read(around.instructions)
    for path in (around.code, around.logs, around.agent):
        text = without_entry(text, str(path))
    return translated(text, around)


def facts(around: Surroundings, *, exec_timeout: float) -> str:
    """Hardware, limits and the format check."""
    lines = ["ADDITIONAL NOTES"]
    if around.hardware:
        lines.append(f"- Hardware: {around.hardware}")
    if around.time_limit is not None:
        lines.append(f"- Time for the whole competition: {spoken(around.time_limit)}; use as much of it as helps.")
    lines.append(f"- Time for one script: at most {spoken(min(exec_timeout, around.time_limit or math.inf))}.")
    if around.step_limit is not None:
        lines.append(f"- Steps (scripts that you write) for the whole competition: {around.step_limit}.")
    lines += [
        f'- The data is in "{INPUT}", read-only. Every script must write its predictions for the test data to '
        f'"{SUBMISSION}"; a script that does not counts as failed. The file of your best script is handed in for you.',
        f"- A script can check the format of its file with the command `sh {around.validate_script} {SUBMISSION}`. "
        "It tells whether the format is right, not how good the predictions are.",
        f"- Use {around.seed} as random seed.",
    ]
    return "\n".join(lines)


def description(around: Surroundings) -> str:
    """The competition's own text."""
    text = _read(around.data / "description.md")
    return f"COMPETITION DESCRIPTION\n\n{translated(text, around)}" if text else ""


def translated(text: str, around: Surroundings) -> str:
    """The same text with AIDE's relative paths; longer paths first, so that none is cut in two."""
    places = {str(around.submission): SUBMISSION, str(around.submission.parent): WORKING, str(around.data): INPUT}
    for path in sorted(places, key=len, reverse=True):
        text = text.replace(path, places[path])
    return text


def without_entry(text: str, path: str) -> str:
    """Leave out a line that is this path alone, with the deeper indented lines that explain it."""
    kept: list[str] = []
    depth: int | None = None
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if depth is not None and line.strip() and indent > depth:
            continue
        depth = indent if line.strip().rstrip("/") == path.rstrip("/") else None
        if depth is None:
            kept.append(line)
    return "\n".join(kept)


def spoken(seconds: float) -> str:
    """A duration as people say it."""
    if seconds == math.inf:
        return "as long as it takes"
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            amount = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.0f} seconds"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
