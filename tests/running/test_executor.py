"""Attempts from queued to done on a sandbox that only pretends: ends, limits, retries, interruption, resume."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from running_kit import FakeSandbox, Notes, Play, World, make_executor, resume_run, start_run

from mlebench.grading.report import Outcome
from mlebench.running import attempt as attempt_module
from mlebench.running import conclusion, outputs
from mlebench.running.events import EventLog, read_events, verify_chain
from mlebench.running.executor import exit_code
from mlebench.running.folders import AttemptFolder
from mlebench.running.plan import open_plan
from mlebench.running.records import Attempt, End, State
from mlebench.running.store import NO_ROOM, NoRoomError, RunStore, load_run
from mlebench.sandbox.base import Exit, SandboxSpec


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(outputs, "_WATCH_SECONDS", 0.05)


def plays(**by_attempt: Play):  # type: ignore[no-untyped-def]
    """One play per seed: s0=Play(...), s1=..."""
    return lambda spec, number: next(play for seed, play in by_attempt.items() if spec.name.endswith(f"-{seed}"))


def test_every_way_to_end_is_told_apart(world: World) -> None:
    sandbox = FakeSandbox(
        plays(
            s0=Play(),
            s1=Play(exit=Exit(3)),
            s2=Play(submission=None),
            s3=Play(submission="id,y\n1,7\n"),
            s4=Play(seconds=60),
            s5=Play(exit=Exit(137, out_of_memory=True), submission=None),
            s6=Play(seconds=60, megabytes=3),
        )
    )
    attempts = start_run(world, sandbox, seeds=list(range(7)), concurrency=7, time_limit_seconds=0.6, disk_gb=0.001)
    told = [(one.end, one.grade.outcome if one.grade else None, one.exit_code) for one in attempts]
    assert told == [
        (End.FINISHED, Outcome.GRADED, 0),
        (End.CRASHED, Outcome.GRADED, 3),
        (End.FINISHED, Outcome.NO_SUBMISSION, 0),
        (End.FINISHED, Outcome.INVALID, 0),
        (End.OUT_OF_TIME, Outcome.GRADED, 143),
        (End.OUT_OF_MEMORY, Outcome.NO_SUBMISSION, 137),
        (End.OUT_OF_DISK, Outcome.GRADED, 143),
    ]
    assert [one.state for one in attempts] == [State.DONE] * 7
    assert exit_code(attempts, False) == 0  # a bad submission is a result, not a failure
    assert attempts[0].grade is not None and attempts[0].grade.score == 1.0 and attempts[0].grade.medal == "gold"
    grace = {handle.split("-")[-1][:2]: seconds for handle, seconds in sandbox.stopped}
    assert grace == {"s4": 1.0, "s6": 0.0}


def test_what_is_left_of_a_done_attempt(world: World) -> None:
    sandbox = FakeSandbox()
    (attempt,) = start_run(world, sandbox)
    folder = AttemptFolder(world.runs / "run" / attempt.id)
    assert folder.submission.read_text().startswith("id,y")
    assert folder.agent_log.read_text().startswith("printed by")
    assert not folder.outbox.exists()
    assert Attempt.model_validate_json(folder.attempt.read_text()) == attempt.model_copy(update={"bundle": None})
    assert sandbox.removed == [f"{sandbox.specs[0].name}#1"]
    assert verify_chain(folder.events, attempt.events_head).holds
    names = [line["event"] for line in read_events(folder.events)]
    assert names == [
        *("try", "validation_endpoint", "started", "environment", "ended", "collected", "concluded", "sealed", "graded")
    ]
    sealed = next(line for line in read_events(folder.events) if line["event"] == "sealed")
    assert sealed["submission_sha256"] == attempt.submission_sha256 == attempt.grade.submission_sha256  # type: ignore[union-attr]


def test_what_the_sandbox_is_asked_for(world: World) -> None:
    sandbox = FakeSandbox()
    start_run(world, sandbox, seeds=[5], time_limit_seconds=90.0, memory_gb=2.0, cpus=1.5)
    (spec,) = sandbox.specs
    assert spec.environment["COMPETITION_ID"] == "toy"
    assert spec.environment["TIME_LIMIT_SECS"] == "90"
    assert spec.environment["SEED"] == "5"
    assert spec.environment["SAMPLE_SUBMISSION"] == str(world.toy.sample)
    assert spec.environment["VALIDATE_URL"].startswith("http://127.0.0.1:")
    assert (spec.resources.memory_gb, spec.resources.cpus, str(spec.network)) == (2.0, 1.5, "none")
    assert spec.public == world.toy.public


def test_no_more_attempts_at_once_than_allowed(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=1.0))
    attempts = start_run(world, sandbox, seeds=list(range(6)), concurrency=2)
    assert all(one.state is State.DONE for one in attempts)
    assert sandbox.most_at_once == 2


def test_infrastructure_failures_are_retried_and_agents_failures_are_not(world: World) -> None:
    def play(spec: SandboxSpec, number: int) -> Play:
        if spec.name.endswith("s0"):
            return Play(refuse="The engine is on fire.") if number < 3 else Play()
        return Play(exit=Exit(1))

    attempts = start_run(world, FakeSandbox(play), seeds=[0, 1])
    assert [(one.end, one.tries) for one in attempts] == [(End.FINISHED, 3), (End.CRASHED, 1)]
    with RunStore(world.runs / "run") as store:
        notes = [move.note for move in store.transitions("toy-s0") if move.new is State.QUEUED]
    assert len(notes) == 2 and all("The engine is on fire." in note for note in notes)


def test_an_attempt_given_up_is_no_result_and_a_resume_tries_again(world: World) -> None:
    broken = FakeSandbox(lambda spec, number: Play(refuse="No engine."))
    (attempt,) = start_run(world, broken)
    assert (attempt.state, attempt.end, attempt.grade, attempt.tries) == (State.DONE, End.INFRASTRUCTURE, None, 3)
    assert attempt.message == "No engine."
    assert exit_code([attempt], False) == 1
    (again,) = resume_run(world, FakeSandbox())
    assert (again.end, again.tries, again.message) == (End.FINISHED, 4, None)
    assert exit_code([again], False) == 0


def test_an_engine_that_is_silent_for_a_moment_costs_nothing(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=0.4))

    def silence(attempt: Attempt, note: str) -> None:
        if note == "started":
            sandbox.silent_until = time.monotonic() + 0.2

    (attempt,) = start_run(world, sandbox, Notes(silence))
    assert (attempt.end, attempt.tries) == (End.FINISHED, 1)


def test_an_engine_that_is_away_costs_nothing(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=2.5 if spec.name.endswith("s0") else 0.01))

    def leave(attempt: Attempt, note: str) -> None:
        if attempt.seed == 1 and attempt.state is State.DONE:
            sandbox.away_until = time.monotonic() + 1

    notes = Notes(leave)
    attempts = start_run(world, sandbox, notes, seeds=list(range(6)), concurrency=2, patience_seconds=0.1)
    assert all(one.end is End.FINISHED and one.grade is not None for one in attempts)
    assert attempts[0].tries == 1 and any("Waiting for it" in why for why in notes.waits)


@pytest.mark.parametrize("full", [NoRoomError(NO_ROOM), OSError(28, "No space left on device")])
def test_a_full_disk_costs_no_running_agent_its_work(
    world: World, monkeypatch: pytest.MonkeyPatch, full: Exception
) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=0.1))
    move, full_until = RunStore.move, [0.0]

    def moved(self: RunStore, attempt_id: str, old: State, new: State, note: str = "", **fields: object) -> Attempt:
        if note.startswith("ended") and not full_until[0]:
            full_until[0] = time.monotonic() + 1
        if time.monotonic() < full_until[0]:
            raise full
        return move(self, attempt_id, old, new, note, **fields)

    monkeypatch.setattr(RunStore, "move", moved)
    notes = Notes()
    (attempt,) = start_run(world, sandbox, notes)
    assert full_until[0] and (attempt.end, attempt.tries) == (End.FINISHED, 1) and attempt.grade is not None
    assert any("no room left" in why for why in notes.waits)
    assert "adopted" in [event["event"] for event in read_events(world.runs / "run" / attempt.id / "events.jsonl")]


def test_an_engine_that_stays_away_loses_nothing(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=1.0))

    def leave(attempt: Attempt, note: str) -> None:
        if note == "started":
            sandbox.away_until = time.monotonic() + 60

    began = time.monotonic()
    attempts = start_run(world, sandbox, Notes(leave), seeds=[0, 1], engine_patience_seconds=0.3)
    assert time.monotonic() - began < 20 and exit_code(attempts, False) == 1
    assert [one.state for one in attempts] == [State.RUNNING, State.QUEUED]
    sandbox.away_until = 0.0
    again = resume_run(world, sandbox)
    assert [(one.end, one.tries) for one in again] == [(End.FINISHED, 1), (End.FINISHED, 2)]


def test_a_sandbox_that_vanishes_is_infrastructure(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=60 if number == 1 else 0))

    def vanish(attempt: Attempt, note: str) -> None:
        if note == "started" and attempt.tries == 1:
            sandbox.running.clear()

    (attempt,) = start_run(world, sandbox, Notes(vanish), patience_seconds=0.1)
    assert (attempt.end, attempt.tries) == (End.FINISHED, 2)


def test_output_that_cannot_be_collected_at_once_is_collected_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect, calls = outputs.collect_outputs, []

    def flaky(folder: AttemptFolder, limit: float):  # type: ignore[no-untyped-def]
        calls.append(folder)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        return collect(folder, limit)

    monkeypatch.setattr(conclusion, "collect_outputs", flaky)
    sandbox = FakeSandbox()
    (attempt,) = start_run(world, sandbox)
    assert (attempt.end, attempt.tries, len(calls), len(sandbox.specs)) == (End.FINISHED, 1, 2, 1)
    assert attempt.grade is not None and attempt.grade.outcome is Outcome.GRADED


def test_stop_queues_running_attempts_again_ungraded(world: World) -> None:
    sandbox = FakeSandbox(plays(s0=Play(), s1=Play(seconds=60), s2=Play(seconds=60)))
    config = world.config(seeds=[0, 1, 2])
    plan = open_plan(config, sandbox)
    with RunStore.create(world.runs / "run", config, plan.attempts) as store:
        notes = Notes(lambda attempt, note: executor.stop() if (attempt.id, note) == ("toy-s1", "started") else None)
        executor = make_executor(store, sandbox, notes)
        attempts = executor.run()
        assert executor.interrupted and notes.told_to_stop == 1
        assert [one.state for one in attempts] == [State.DONE, State.QUEUED, State.QUEUED]
        assert exit_code(attempts, True) == 130
        assert attempts[1].end is None and attempts[1].handle is None
        assert store.transitions("toy-s1")[-1].note == "interrupted"
    assert not sandbox.running
    assert not AttemptFolder(world.runs / "run" / "toy-s1").grade.exists()
    done = resume_run(world, FakeSandbox())
    assert [(one.state, one.tries) for one in done] == [(State.DONE, 1), (State.DONE, 2), (State.DONE, 1)]


def left_behind(world: World, sandbox: FakeSandbox, **fields: object) -> str:
    """A run whose runner was killed while its only attempt ran; returns the attempt's handle."""
    config = world.config()
    plan = open_plan(config, sandbox)
    with RunStore.create(world.runs / "run", config, plan.attempts) as store:
        folder = AttemptFolder(store.folder / "toy-s0")
        folder.path.mkdir()
        spec = SandboxSpec(
            f"mlebench-{store.id[:12]}-toy-s0", None, (), world.agent, world.toy.public, folder.outbox, folder.control
        )
        handle = sandbox.start(spec)
        now = datetime.now(UTC)
        facts = {"tries": 1, "handle": handle, "started_at": now, "deadline_at": now + timedelta(seconds=60)}
        store.move("toy-s0", State.QUEUED, State.RUNNING, "started", **{**facts, **fields})
    return handle


def test_resume_adopts_what_still_runs_and_keeps_its_deadline(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=60))
    left_behind(world, sandbox, deadline_at=datetime.now(UTC) + timedelta(seconds=0.7))
    started = time.monotonic()
    (attempt,) = resume_run(world, sandbox)
    assert time.monotonic() - started < 10
    assert (attempt.end, attempt.tries, len(sandbox.specs)) == (End.OUT_OF_TIME, 1, 1)
    assert attempt.grade is not None and attempt.grade.score == 1.0


def test_resume_collects_what_ended_meanwhile(world: World) -> None:
    sandbox = FakeSandbox()
    left_behind(world, sandbox)
    (attempt,) = resume_run(world, sandbox)
    assert (attempt.end, attempt.tries, len(sandbox.specs)) == (End.FINISHED, 1, 1)
    assert attempt.grade is not None and attempt.grade.outcome is Outcome.GRADED


def test_what_a_killed_runner_was_just_writing_is_swept(world: World) -> None:
    sandbox = FakeSandbox()
    left_behind(world, sandbox)
    folder = AttemptFolder(world.runs / "run" / "toy-s0")
    for name in (
        ".live.json.partial",
        "live.json",
        "environment.json.tmp",
        ".snapshot.csv",
        "control/.notices.txt.partial",
    ):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("half")
    (attempt,) = resume_run(world, sandbox)
    assert attempt.end is End.FINISHED
    assert [path for path in folder.path.rglob("*") if path.name.startswith(".") or path.suffix == ".tmp"] == []
    assert not (folder.path / "live.json").exists()


def test_resume_says_when_an_agent_had_more_time_than_it_should(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "END_SECONDS", 0.1)
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=60))
    left_behind(world, sandbox, deadline_at=datetime.now(UTC) - timedelta(seconds=500))
    (attempt,) = resume_run(world, sandbox)
    assert attempt.end is End.OUT_OF_TIME
    assert "No runner watched" in (attempt.message or "")


def test_resume_starts_lost_attempts_again(world: World) -> None:
    sandbox = FakeSandbox()
    handle = left_behind(world, sandbox)
    sandbox.remove(handle)
    (attempt,) = resume_run(world, sandbox)
    assert (attempt.end, attempt.tries) == (End.FINISHED, 2)


def test_what_a_lost_try_spent_on_models_is_told_though_its_log_goes(world: World) -> None:
    sandbox = FakeSandbox()
    handle = left_behind(world, sandbox)
    sandbox.remove(handle)
    folder = AttemptFolder(world.runs / "run" / "toy-s0")
    with EventLog(folder.events) as log:
        log.append("try", number=1)
    call = {"model": "lab/m", "outcome": "ok", "seconds": 1.0, "replayed": False, "retries": 0, "metered": True}
    tokens = {"tokens_in": 700, "tokens_out": 30, "tokens_cached": 0, "tokens_reasoning": 0}
    with EventLog(folder.usage) as log:
        log.append("call", call=1, usd=0.25, **call, **tokens)
    (attempt,) = resume_run(world, sandbox)
    assert attempt.tries == 2 and attempt.usage is None  # of the try that counts
    (spent,) = [event for event in read_events(folder.events) if event["event"] == "usage"]
    assert (spent["calls"], spent["tokens_in"], spent["usd"]) == (1, 700, 0.25)


def test_resume_removes_what_was_started_but_never_noted(world: World) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=60 if number == 1 else 0))
    handle = left_behind(world, sandbox, handle=None)
    (attempt,) = resume_run(world, sandbox)
    assert handle in sandbox.removed and handle.split("#")[0] in sandbox.removed_names
    assert (attempt.end, attempt.tries) == (End.FINISHED, 2)


def test_resume_queues_an_attempt_again_that_was_being_cancelled(world: World) -> None:
    sandbox = FakeSandbox()
    left_behind(world, sandbox, end=End.CANCELLED)
    (attempt,) = resume_run(world, sandbox)
    assert (attempt.end, attempt.tries) == (End.FINISHED, 2)


def test_resume_does_not_grade_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (attempt,) = start_run(world, FakeSandbox())
    with RunStore(world.runs / "run") as store:
        store.move(attempt.id, State.DONE, State.ENDED, "killed before the store knew", grade=None)
    (again,) = resume_run(world, FakeSandbox())
    assert again.grade == attempt.grade
    events = [line["event"] for line in read_events(world.runs / "run" / attempt.id / "events.jsonl")]
    assert events.count("graded") == 1


def test_resume_leaves_done_attempts_alone(world: World) -> None:
    before = start_run(world, FakeSandbox(), seeds=[0, 1])
    sandbox = FakeSandbox()
    assert resume_run(world, sandbox) == before
    assert sandbox.specs == [] and load_run("run", world.runs).attempts == before


def test_a_changed_event_log_is_not_continued(world: World) -> None:
    (attempt,) = start_run(world, FakeSandbox())
    log = AttemptFolder(world.runs / "run" / attempt.id).events
    log.write_text(log.read_text().replace('"exit_code": 0', '"exit_code": 1'))
    with RunStore(world.runs / "run") as store:
        store.move(attempt.id, State.DONE, State.ENDED, grade=None)
    (again,) = resume_run(world, FakeSandbox())
    assert again.grade is not None and again.grade.outcome is Outcome.GRADER_ERROR
    assert "was changed" in (again.grade.message or "")


def test_a_submission_changed_after_the_end_is_not_graded(world: World) -> None:
    (attempt,) = start_run(world, FakeSandbox())
    folder = AttemptFolder(world.runs / "run" / attempt.id)
    folder.grade.unlink()
    folder.submission.write_text("id,y\n1,0\n2,1\n3,0\n")
    with RunStore(world.runs / "run") as store:
        store.move(attempt.id, State.DONE, State.ENDED, grade=None)
    (again,) = resume_run(world, FakeSandbox())
    assert again.grade is not None and again.grade.outcome is Outcome.GRADER_ERROR and again.grade.score is None
    assert "sealed" in (again.grade.message or "")


def test_a_grader_that_takes_the_process_down_is_a_grader_error_and_can_be_repeated(world: World) -> None:
    grader = world.toy.competition.folder / "grade.py"
    grader.write_text("import os, signal\ndef grade(submission, answers):\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    attempts = start_run(world, FakeSandbox(), seeds=[0, 1])
    assert [one.grade.outcome for one in attempts if one.grade] == [Outcome.GRADER_ERROR] * 2
    assert "signal 9" in (attempts[0].grade.message or "")  # type: ignore[union-attr]
    assert exit_code(attempts, False) == 1
    grader.unlink()
    sandbox = FakeSandbox()
    again = resume_run(world, sandbox)
    assert sandbox.specs == [] and exit_code(again, False) == 0


def test_validation_calls_are_counted_and_logged(world: World) -> None:
    import urllib.request

    def ask(spec: SandboxSpec, number: int) -> Play:
        def post() -> None:
            for body in (b"id,y\n1,0.5\n2,0.5\n3,0.5\n", b"nonsense"):
                request = urllib.request.Request(spec.environment["VALIDATE_URL"], data=body, method="POST")
                urllib.request.urlopen(request, timeout=30).read()
            done.set()

        threading.Thread(target=post, daemon=True).start()
        return Play(seconds=50, until=done)

    done = threading.Event()
    (attempt,) = start_run(world, FakeSandbox(ask))
    assert done.is_set() and attempt.validations == 2
    log = AttemptFolder(world.runs / "run" / attempt.id).events
    assert [line["valid"] for line in read_events(log) if line["event"] == "validation"] == [True, False]
