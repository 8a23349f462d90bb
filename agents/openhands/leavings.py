"""What is put in place when the conversation is over: the usage, and the code of the submission."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any


def save_usage(conversation: Any, logs: Path) -> None:
    """logs/usage.json: tokens as the SDK counted them."""
    stats = conversation.conversation_stats
    usage = {name: metrics.model_dump(mode="json") for name, metrics in stats.usage_to_metrics.items()}
    (logs / "usage.json").write_text(json.dumps(usage, indent=2) + "\n", encoding="utf-8")


def keep_solution(code: Path) -> None:
    """Where the agent left no solution.py, the newest script that speaks of a submission stands for it."""
    target = code / "solution.py"
    if target.is_file():
        return
    scripts = sorted((path for path in code.rglob("*.py") if path.is_file() and not path.is_symlink()), key=_age)
    for path in scripts:
        if "submission" in path.read_text(encoding="utf-8", errors="replace"):
            shutil.copyfile(path, target)
            print(f"openhands: {path.relative_to(code)} is kept as solution.py", flush=True)
            return


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
