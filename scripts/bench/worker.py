"""Grades one submission in this process and prints what it took; run by `bench.measure` in a fresh interpreter.

The clock starts with the first line of this file, so imports count and the interpreter's start does not.
"""

import time

began, cpu_began = time.perf_counter(), time.process_time()

import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from mlebench.competition import load_competition  # noqa: E402
from mlebench.data.paths import DataDir  # noqa: E402
from mlebench.grading.grade import grade_submission  # noqa: E402

imports = time.perf_counter() - began


def main(folder: str, data_dir: str, submission: str) -> None:
    def grade() -> dict[str, object]:
        competition = load_competition(Path(folder))
        return grade_submission(competition, Path(submission), DataDir(Path(data_dir)).paths(competition.id)).to_json()

    report = grade()
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu_began, "peak_mb": peak_mb()}
    took["imports"] = imports
    again = time.perf_counter()
    grade()
    took["warm"] = time.perf_counter() - again
    print(json.dumps({**took, "outcome": report["outcome"], "message": report["message"], "score": report["score"]}))


def peak_mb() -> float:
    """Peak resident memory of this program alone; getrusage would count its parent's at the fork as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
