"""The competition as a task of MLAgentBench."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from agentkit import task_sheet
from agentkit.contract import Surroundings
from agentkit.hand_in import SUBMISSION

from mlab_launcher.settings import TASK

_STARTER = f'''"""A place to begin: reads the data. Predictions for the test data go to ./{SUBMISSION}."""

from pathlib import Path

for path in sorted(Path("./input").iterdir()):
    print(path.name)
'''


def lay_out(scaffold: Path, target: Path, around: Surroundings, *, exec_timeout: float) -> Path:
    """Make a copy of the scaffold with this task in it; returns the folder to import it from.

    The scaffold looks for tasks beside its own modules, and where it is installed nobody may write.
    """
    shutil.copytree(scaffold / "MLAgentBench", target / "MLAgentBench")
    benchmarks = target / "MLAgentBench" / "benchmarks"
    env, scripts = benchmarks / TASK / "env", benchmarks / TASK / "scripts"
    env.mkdir(parents=True)
    scripts.mkdir()
    (benchmarks / "tasks.json").write_text(json.dumps({}), encoding="utf-8")
    (env / "input").symlink_to(around.data)
    (env / "train.py").write_text(_STARTER, encoding="utf-8")
    (scripts / "research_problem.txt").write_text(research_problem(around, exec_timeout), encoding="utf-8")
    return target


def research_problem(around: Surroundings, exec_timeout: float) -> str:
    """What the scaffold's prompt says of the problem."""
    notes = [
        f"Scripts run in the working folder and write their predictions to ./{SUBMISSION}. That file is handed in after "
        "every script that ended without an error.",
        "train.py is only a place to begin.",
    ]
    return task_sheet.task_text(
        around, data="./input", submission=f"./{SUBMISSION}", exec_timeout=exec_timeout, notes=notes
    )
