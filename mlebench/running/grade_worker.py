"""The grading process: reads one job a line from standard input, answers each with one line.

Runs apart from the runner (`python -m mlebench.running.grade_worker`), so that a submission that exhausts memory or
crashes a library costs one grade and not the run. It ends when its standard input does, as it does when the runner
dies. Whatever graders print goes to standard error, never between the answers.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def grade_job(job: dict[str, Any]) -> dict[str, Any]:
    """Grade one submission; `{"report": ...}`, or `{"error": "<one sentence>"}` when grading itself failed."""
    from mlebench.competition import load_competition
    from mlebench.data.paths import DataDir
    from mlebench.errors import MlebenchError
    from mlebench.grading.grade import grade_submission

    try:
        competition = load_competition(Path(job["competition"]))
        paths = DataDir(Path(job["data_dir"])).require_prepared(competition, job["edition"])
        report = grade_submission(competition, Path(job["submission"]), paths, edition=job["edition"])
    except MlebenchError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"Grading failed ({type(error).__name__}: {error}); please report this as a bug."}
    return {"report": report.model_dump(mode="json")}


def main() -> None:
    """Serve jobs until standard input ends."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(grade_job(json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
