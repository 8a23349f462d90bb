"""The agent's course: sample first, then the first strategy that fits, every submission checked before it counts."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pandas as pd

from solver.cpus import available_cpus
from solver.environment import Clock, Environment, OutOfTime
from solver.lookup import TextLookup
from solver.pixels import PixelRegression
from solver.strategies import PictureLearning, Proposal, Strategy, TableLearning
from solver.submit import Submitter
from solver.task import Task, find_sample, read_sample, read_task

log = logging.getLogger("baseline")

STRATEGIES: Sequence[Strategy] = (PixelRegression(), TextLookup(), TableLearning(), PictureLearning())
ALARM_SHARE = 2.0
"""Times our share of the limit after which even a model that does not look at the clock is interrupted."""


def main() -> int:
    """Make a submission; 0 when there is one, if only the sample."""
    environment = Environment.read()
    _start_log(environment.logs)
    sample_path = environment.sample or find_sample(environment.data)
    if sample_path is None:
        log.error("there is no sample submission in %s", environment.data)
        return 1
    submitter = Submitter(environment)
    submitter.put_sample(sample_path)
    log.info("the sample submission is in place")
    _copy_code(environment.code)
    clock = environment.clock()
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, max(1.0, ALARM_SHARE * clock.seconds))
    summary: dict[str, Any] = {"strategy": "sample submission", "submitted": 0}
    try:
        sample = read_sample(sample_path)
        task = read_task(environment.data, sample, environment.instructions, environment.seed)
        summary = improve(task, submitter, clock)
    except Exception:
        log.exception("the task could not be read; the sample submission stays")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    summary["seconds"] = round(clock.spent, 1)
    log.info("done after %.1f s: %s", clock.spent, summary["strategy"])
    (environment.logs / "baseline.json").write_text(json.dumps(summary, indent=2, default=str), encoding="utf-8")
    return 0


def improve(task: Task, submitter: Submitter, clock: Clock) -> dict[str, Any]:
    """Try the strategies that fit until one has put a submission in place; say what was done."""
    for strategy in STRATEGIES:
        summary: dict[str, Any] = {"strategy": strategy.name, "submitted": 0}
        try:
            if not strategy.fits(task):
                continue
            log.info("strategy: %s", strategy.name)
            for proposal in strategy.solve(task, clock, available_cpus()):
                if put(proposal, submitter, task.sample):
                    summary = {**summary, **proposal.facts, "submitted": summary["submitted"] + 1}
        except OutOfTime as limit:
            log.warning("%s stopped: %s", strategy.name, limit)
        except Exception:
            log.exception("%s failed", strategy.name)
        if summary["submitted"]:
            return summary
    return {"strategy": "sample submission", "submitted": 0}


def put(proposal: Proposal, submitter: Submitter, sample: pd.DataFrame) -> bool:
    """Submit; when the form is refused, the other form."""
    if submitter.put(proposal.frame, sample):
        return True
    return proposal.plain is not None and submitter.put(proposal.plain, sample)


def _copy_code(folder: Path) -> None:
    """Leave a copy of this agent; only contents, since the folder may belong to somebody else."""
    agent = Path(__file__).parent.parent
    for source in agent.rglob("*"):
        target = folder / source.relative_to(agent)
        if source.is_file() and "__pycache__" not in source.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _start_log(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        handlers=[logging.StreamHandler(sys.stdout), logging.FileHandler(folder / "baseline.log", encoding="utf-8")],
        force=True,
    )


def _out_of_time(signum: int, frame: FrameType | None) -> None:
    raise OutOfTime("a step took far longer than our share of the time")
