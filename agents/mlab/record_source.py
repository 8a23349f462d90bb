"""Puts what the launcher needs of a checkout in its place and writes down which version it is.

    record_source.py CHECKOUT TARGET

Runs while the image is built. TARGET/MLAgentBench gets the Python modules and the licence, without the tasks and the
other agents; TARGET/source.json their digest, and whether it is that of the commit that agent.toml names.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

COMMIT = "5d71205cc20a8e95d43aa7cb7120e89ca3323e31"
DIGEST = "c94935550ca43b303b4cea678a8575e8bfda5b294ce6cc66d378bf8427537669"
"""Of the modules of that commit."""


def modules(checkout: Path) -> list[Path]:
    """The modules of the environment and of its agents, sorted."""
    package = checkout / "MLAgentBench"
    return sorted([*package.glob("*.py"), *(package / "agents").glob("*.py")])


def digest(checkout: Path) -> str:
    """sha256 over names and contents."""
    total = hashlib.sha256()
    for path in modules(checkout):
        total.update(
            f"{path.relative_to(checkout).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return total.hexdigest()


def record(checkout: Path, target: Path) -> dict[str, object]:
    """Copy the modules and say what they are."""
    found = modules(checkout)
    if not any(path.name == "runner.py" for path in found):
        raise SystemExit(f"{checkout} is no checkout of MLAgentBench: it has no MLAgentBench/runner.py.")
    for path in found:
        there = target / path.relative_to(checkout)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, there)
    if (checkout / "LICENSE").is_file():
        shutil.copyfile(checkout / "LICENSE", target / "LICENSE")
    seen = digest(checkout)
    facts = {"commit": COMMIT if seen == DIGEST else None, "sha256": seen, "is_the_pinned_commit": seen == DIGEST}
    (target / "source.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return facts


if __name__ == "__main__":
    print(record(Path(sys.argv[1]), Path(sys.argv[2])))
