"""Measuring in fresh processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.cases import Case

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Graded:
    """What grading one submission of real size took."""

    competition: str
    rows: int
    whole: float
    """Seconds from starting the interpreter to its end, without the second grading."""
    seconds: float
    """Of these, from the first import to the report."""
    imports: float
    """Of these, seconds of importing, which grading many submissions in one process takes once."""
    cpu: float
    """Processor seconds from the first import to the report."""
    warm: float
    """Seconds of a second grading in the same process: nothing is imported, the answers are read anew."""
    peak_mb: float
    """Peak resident memory of the first grading."""
    score: float

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def measure_grading(case: Case) -> Graded:
    """Grade a case in a fresh interpreter; RuntimeError when it does not come to a score."""
    command = [sys.executable, str(WORKER), str(case.competition.folder), str(case.data_dir.root), str(case.submission)]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{case.competition.id}: {done.stderr.strip().splitlines()[-1]}")
    took = json.loads(done.stdout)
    if took["outcome"] != "graded":
        raise RuntimeError(f"{case.competition.id}: {took['outcome']}: {took['message']}")
    return Graded(
        case.competition.id,
        case.rows,
        whole - took["warm"],
        took["seconds"],
        took["imports"],
        took["cpu"],
        took["warm"],
        took["peak_mb"],
        took["score"],
    )
