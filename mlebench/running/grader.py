"""Grading attempts in processes of their own: a few long-lived workers, replaced when one breaks or grows old."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlebench.competition import Competition
from mlebench.grading.leaderboard import load_leaderboard
from mlebench.grading.report import GradeReport, Outcome, Thresholds
from mlebench.running.records import RunConfig

GRADING_SECONDS = 3600.0
"""No submission takes longer to grade; one that does is a grader error."""
JOBS_PER_WORKER = 50
"""Workers are replaced after this many grades, so that a leaking library cannot fill the memory over days."""


class GradingStoppedError(Exception):
    """The pool was closed while it graded; the attempt is graded when the run is resumed."""


class GraderPool:
    """Grades submissions of one run; `grade` may be called from many threads."""

    def __init__(
        self,
        config: RunConfig,
        log: Path,
        *,
        workers: int = 1,
        timeout: float = GRADING_SECONDS,
        command: tuple[str, ...] = (sys.executable, "-P", "-m", "mlebench.running.grade_worker"),
    ) -> None:
        self.config = config
        self._log = log
        self._timeout = timeout
        self._command = command
        self._slots = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = False

    def grade(self, competition: Competition, submission: Path) -> GradeReport:
        """Grade one file. Whatever goes wrong with the grading process is a report with outcome grader_error."""
        job = {
            "competition": str(competition.folder),
            "data_dir": self.config.data_dir,
            "edition": self.config.edition,
            "submission": str(submission),
        }
        with self._slots:
            worker = self._take()
            try:
                answer = worker.ask(job, self._timeout)
            finally:
                self._give_back(worker)
        if "report" in answer:
            return GradeReport.model_validate(answer["report"])
        return failed_report(competition, submission, self.config, answer["error"])

    def close(self) -> None:
        """End every worker; threads that wait for a grade get GradingStoppedError."""
        with self._lock:
            self._closed = True
            for worker in self._busy:
                worker.interrupt()
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def __enter__(self) -> GraderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise GradingStoppedError
            worker = self._idle.pop() if self._idle else _Worker(self._command, self._log)
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            closed = self._closed
            if worker.usable and not closed:
                self._idle.append(worker)
                return
        worker.end()
        if closed:
            raise GradingStoppedError


class _Worker:
    """One grading process."""

    def __init__(self, command: tuple[str, ...], log: Path) -> None:
        with log.open("ab") as errors:
            # In a session of its own: Ctrl-C in the terminal is for the runner alone.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        self._answers = b""
        self._jobs = 0
        self._broken = False

    @property
    def usable(self) -> bool:
        return not self._broken and self._jobs < JOBS_PER_WORKER

    def ask(self, job: dict[str, Any], timeout: float) -> dict[str, Any]:
        self._jobs += 1
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
            line = self._read_line(timeout)
        except TimeoutError:
            self._broken = True
            return {"error": f"Grading took longer than {timeout:.0f} seconds and was ended."}
        except OSError:
            line = b""
        if line:
            return json.loads(line)
        self._broken = True
        code = self._exit_code()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return {"error": f"The grading process {how}; its messages are in grader.log of the run."}

    def interrupt(self) -> None:
        """End the process; the thread that waits for its answer notices and cleans up."""
        self._process.kill()

    def end(self) -> None:
        """End the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _exit_code(self) -> int:
        """Its own exit code where it has one."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(5)
        self._process.kill()
        return self._process.wait()

    def _read_line(self, timeout: float) -> bytes:
        """One line, or nothing when the process is over."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._answers:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                chunk = os.read(self._process.stdout.fileno(), 1 << 16)
                if not chunk:
                    return b""
                self._answers += chunk
        line, _, self._answers = self._answers.partition(b"\n")
        return line


def failed_report(competition: Competition, submission: Path, config: RunConfig, message: str) -> GradeReport:
    """The report of a submission that could not be graded through no fault of the agent."""
    board = load_leaderboard(competition.folder, competition.metric.higher_is_better)
    return GradeReport(
        competition=competition.id,
        edition=config.edition,
        outcome=Outcome.GRADER_ERROR,
        message=message,
        thresholds=Thresholds(gold=board.gold, silver=board.silver, bronze=board.bronze, median=board.median),
        teams=board.teams,
        higher_is_better=board.higher_is_better,
        submission_path=str(submission),
    )
