"""The task in the paths of AIDE's workspace: AIDE's own prompts speak of ./input and ./working."""

from __future__ import annotations

from agentkit import task_sheet
from agentkit.contract import Surroundings

INPUT = "./input"
SUBMISSION = "./working/submission.csv"


def task_text(around: Surroundings, *, exec_timeout: float) -> str:
    """The whole text that AIDE is given as the task's description."""
    note = (
        f'Every script must write its predictions for the test data to "{SUBMISSION}"; one that does not counts as '
        "failed. The file of the best script is handed in for you."
    )
    return task_sheet.task_text(around, data=INPUT, submission=SUBMISSION, exec_timeout=exec_timeout, notes=[note])
