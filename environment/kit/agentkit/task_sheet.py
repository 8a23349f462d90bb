"""What an agent is told of the task, in the paths that its scripts use, so that prompt and reality agree.

Part of the agent kit (docs/agents.md): standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agentkit.contract import Surroundings

_RULE = "\n\n------\n\n"


def task_text(
    around: Surroundings, *, data: str, submission: str, exec_timeout: float, notes: Iterable[str] = ()
) -> str:
    """Instructions, facts about this attempt and `notes`, the competition's description.

    `data` and `submission` are where the agent's scripts find the data and write their file.
    """
    places = {str(around.submission): submission, str(around.data): data}
    if submission.rpartition("/")[0] not in ("", "."):
        places[str(around.submission.parent)] = submission.rpartition("/")[0]
    sheet = _read(around.instructions)
    for path in (around.code, around.logs, around.agent):  # folders that the agent's driver looks after
        sheet = without_entry(sheet, str(path))
    description = _read(around.data / "description.md")
    parts = [
        translated(sheet, places),
        "\n".join(["ADDITIONAL NOTES", *(f"- {note}" for note in (*_facts(around, exec_timeout, submission), *notes))]),
        f"COMPETITION DESCRIPTION\n\n{translated(description, places)}" if description else "",
    ]
    return _RULE.join(part for part in parts if part)


def _facts(around: Surroundings, exec_timeout: float, submission: str) -> list[str]:
    facts = [f"Hardware: {around.hardware}"] if around.hardware else []
    script = exec_timeout
    if around.time_limit is not None:
        facts.append(f"Time for the whole competition: {spoken(around.time_limit)}; use as much of it as helps.")
        script = min(script, around.time_limit)
    facts.append(f"Time for one script: at most {spoken(script)}; then it is ended.")
    if around.step_limit is not None:
        facts.append(f"Steps for the whole competition: {around.step_limit}.")
    return [
        *facts,
        f"A script can check the format of its file with the command `sh {around.validate_script} {submission}`. "
        "It tells whether the format is right, not how good the predictions are.",
        f"Use {around.seed} as random seed.",
    ]


def translated(text: str, places: dict[str, str]) -> str:
    """The same text with other paths; longer ones first, so that none is cut in two."""
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
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds == size or seconds >= 2 * size:
            amount = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.0f} seconds"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
