"""The task in the paths of the agent's working folder."""

from __future__ import annotations

from agentkit import task_sheet
from agentkit.contract import Surroundings
from agentkit.hand_in import SUBMISSION


def task_text(around: Surroundings, *, exec_timeout: float) -> str:
    """What prompts say of the problem."""
    note = (
        f"Scripts run in the working folder, whatever folder they lie in, and write their predictions to ./{SUBMISSION}. "
        "That file is handed in after every script that ended without an error."
    )
    return task_sheet.task_text(
        around, data="./input", submission=f"./{SUBMISSION}", exec_timeout=exec_timeout, notes=[note]
    )
