"""The grading processes: whatever happens to one is a grader error of one submission."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from running_kit import PERFECT, World

from mlebench.grading.report import Outcome
from mlebench.running.grader import GraderPool, GradingStoppedError


def worker(body: str) -> tuple[str, ...]:
    """A grading process that does something else."""
    return (sys.executable, "-c", body)


def test_one_process_grades_many(world: World) -> None:
    good, bad = world.root / "good.csv", world.root / "bad.csv"
    good.write_text(PERFECT)
    bad.write_text("id,y\n1,2\n")
    with GraderPool(world.config(), world.root / "grader.log") as pool:
        reports = [pool.grade(world.toy.competition, path) for path in (good, bad, world.root / "none.csv", good)]
        assert len(pool._idle) == 1
    assert [one.outcome for one in reports] == [
        Outcome.GRADED,
        Outcome.INVALID,
        Outcome.NO_SUBMISSION,
        Outcome.GRADED,
    ]


def test_a_grader_that_prints_does_not_disturb(world: World) -> None:
    folder = world.toy.competition.folder
    (folder / "grade.py").write_text("def grade(submission, answers):\n    print('{}')\n    return 0.25\n")
    submission = world.root / "good.csv"
    submission.write_text(PERFECT)
    log = world.root / "grader.log"
    with GraderPool(world.config(), log) as pool:
        assert [pool.grade(world.toy.competition, submission).score for _ in range(2)] == [0.25, 0.25]
    assert "{}" in log.read_text()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import sys; sys.stdin.readline(); sys.exit(7)", "ended with code 7"),
        ("import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11"),
        ("import time; time.sleep(60)", "took longer than 1 seconds"),
        ("import sys; sys.exit('cannot start')", "ended with code 1"),
    ],
)
def test_a_process_that_breaks_is_a_grader_error(world: World, body: str, words: str) -> None:
    pool = GraderPool(world.config(), world.root / "grader.log", timeout=1, command=worker(body))
    with pool:
        report = pool.grade(world.toy.competition, world.root / "any.csv")
        assert not pool._idle
    assert report.outcome is Outcome.GRADER_ERROR and words in (report.message or "")


def test_closing_the_pool_ends_a_grading_under_way(world: World) -> None:
    pool = GraderPool(world.config(), world.root / "grader.log", command=worker("import time; time.sleep(60)"))
    raised: list[BaseException] = []

    def grade() -> None:
        try:
            pool.grade(world.toy.competition, world.root / "any.csv")
        except GradingStoppedError as error:
            raised.append(error)

    thread = threading.Thread(target=grade)
    thread.start()
    deadline = time.monotonic() + 10
    while not pool._busy and time.monotonic() < deadline:
        time.sleep(0.01)
    pool.close()
    thread.join(10)
    assert len(raised) == 1
    with pytest.raises(GradingStoppedError):
        pool.grade(world.toy.competition, world.root / "any.csv")
