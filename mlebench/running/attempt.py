"""One attempt's life: from queued to done, or on from wherever a killed runner left it.

    queued --launch--> running --watch, collect, seal--> ended --grade--> done

The store is asked to move at each step before the next one begins, so that at any moment it tells how to go on.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mlebench.errors import SandboxError
from mlebench.running.endpoint import Endpoint
from mlebench.running.events import EventLog
from mlebench.running.files import sha256_of
from mlebench.running.folders import AttemptFolder
from mlebench.running.grader import GraderPool
from mlebench.running.grading import earlier_grade, grade_sealed, seal_done
from mlebench.running.outputs import AGENT_LOG_BYTES, DiskWatch, collect_outputs
from mlebench.running.plan import Plan
from mlebench.running.records import FRESH, Attempt, End, State
from mlebench.running.spec import sandbox_name, sandbox_spec, validation_service
from mlebench.sandbox.base import Exit, Sandbox

POLL_SECONDS = 2.0
PATIENCE_SECONDS = 120.0
"""For so long a sandbox may fail to answer before a running attempt is given up: an engine may restart."""
END_SECONDS = 15.0
"""How long a sandbox may take to say how the agent ended, after it was stopped."""


class Move(Protocol):
    """Changes the attempt in the run store (see RunStore.move), committed on return."""

    def __call__(self, attempt_id: str, old: State, new: State, note: str = "", **fields: object) -> Attempt: ...


@dataclass(frozen=True)
class Site:
    """What all attempts of a run share."""

    run_id: str
    plan: Plan
    sandbox: Sandbox
    grader: GraderPool
    move: Move
    stopping: threading.Event
    """Set when the runner is asked to end: running attempts are stopped and queued again."""
    patience_seconds: float = PATIENCE_SECONDS


class AttemptLife:
    """Drives one attempt; used by one thread."""

    def __init__(self, site: Site, attempt: Attempt, folder: AttemptFolder) -> None:
        self._site = site
        self._config = site.plan.config
        self._sandbox = site.sandbox
        self._competition = site.plan.competitions[attempt.competition]
        self._folder = folder
        self._attempt = attempt
        self._log: EventLog
        self._endpoint: Endpoint | None = None
        self._silent_since: float | None = None

    def live(self) -> None:
        """Bring the attempt to done, or back to queued when the runner is stopping.

        Raises SandboxError or OSError when the infrastructure failed. While the agent ran, what is left of it is
        removed then, as far as possible; after its end its output stays, so that collecting can be tried again.
        """
        self._folder.path.mkdir(exist_ok=True)
        with EventLog(self._folder.events) as self._log:
            try:
                if self._attempt.state is State.QUEUED:
                    self._launch()
                elif self._attempt.state is State.RUNNING:
                    self._adopt()
                if self._attempt.state is State.RUNNING:
                    self._watch()
            except BaseException as error:
                self._log.append("infrastructure_failure", message=str(error))
                if self._attempt.end is None:
                    with suppress(SandboxError, OSError):
                        self._abandon()
                raise
            finally:
                if self._endpoint is not None:
                    self._endpoint.stop()
            if self._attempt.state is State.ENDED:
                self._clean()
                self._grade()

    def _launch(self) -> None:
        attempt, config = self._attempt, self._config
        if attempt.tries:
            # The try before may have failed in a way that kept it from being removed.
            self._sandbox.remove_named(sandbox_name(self._site.run_id, attempt))
        self._folder.clear()
        self._move(State.RUNNING, f"try {attempt.tries + 1}", **FRESH, tries=attempt.tries + 1)
        self._log.append("try", number=self._attempt.tries, sandbox=self._sandbox.name, network=config.network)
        service = validation_service(self._site.plan, self._attempt, self._folder, self._sandbox)
        self._endpoint = Endpoint(service, self._folder.calls, self._log, self._folder.events)
        self._endpoint.start()
        url = service.url if service.port else None
        spec = sandbox_spec(self._site.plan, self._site.run_id, self._attempt, self._folder, self._sandbox, url)
        handle = self._sandbox.start(spec)
        now = datetime.now(UTC)
        self._attempt = self._attempt.model_copy(update={"handle": handle})
        self._move(
            State.RUNNING,
            "started",
            handle=handle,
            started_at=now,
            deadline_at=now + timedelta(seconds=config.time_limit_seconds),
            validate_port=service.port or None,
        )
        self._log.append("started", image=spec.image, deadline_at=self._attempt.deadline_at.isoformat())  # type: ignore[union-attr]

    def _adopt(self) -> None:
        """Take over what a killed runner left: still running, ended meanwhile, or lost."""
        handle = self._attempt.handle
        if handle is None:
            self._requeue("lost: its runner was killed while it started")
            return
        if self._attempt.end is End.CANCELLED:
            self._requeue("interrupted")
            return
        try:
            over = self._sandbox.wait(handle, 0)
        except SandboxError as error:
            self._requeue(f"lost: {error}")
            return
        if over is not None and over.code is None and self._attempt.end is None:
            self._requeue("lost: nothing says how the agent ended")
            return
        self._move(State.RUNNING, "adopted")
        self._log.append("adopted", running=over is None)
        service = validation_service(self._site.plan, self._attempt, self._folder, self._sandbox)
        self._endpoint = Endpoint(service, self._folder.calls, self._log, self._folder.events)
        overrun = self._overrun()
        if overrun > 0:
            self._log.append("overrun", seconds=overrun)
            message = f"No runner watched when its time was over; it could go on for up to {overrun:.0f} s more."
            self._move(State.RUNNING, "overrun", end=self._attempt.end or End.OUT_OF_TIME, message=message)

    def _overrun(self) -> float:
        """By how much the agent may have outlived its time: up to now, or to its last submission when it ended."""
        attempt, config = self._attempt, self._config
        assert attempt.deadline_at is not None and attempt.handle is not None
        if attempt.end is not None:
            return 0.0
        last = datetime.now(UTC)
        if not self._sandbox.alive(attempt.handle):
            try:
                written = (self._folder.outbox / "submission" / "submission.csv").lstat().st_mtime
            except OSError:
                return 0.0
            last = datetime.fromtimestamp(written, UTC)
        over = (last - attempt.deadline_at).total_seconds()
        return over if over > config.grace_seconds + END_SECONDS else 0.0

    def _watch(self) -> None:
        """Wait for the agent's end, see that it keeps to its limits, collect what it left."""
        attempt, sandbox = self._attempt, self._sandbox
        assert attempt.handle is not None and attempt.deadline_at is not None and self._endpoint is not None
        disk = DiskWatch(self._folder.outbox, self._config.disk_gb)
        over: Exit | None = None
        while over is None and self._attempt.end is None:
            left = (attempt.deadline_at - datetime.now(UTC)).total_seconds()
            if self._site.stopping.is_set():
                self._interrupt()
                return
            if left <= 0:
                self._stop(End.OUT_OF_TIME, self._config.grace_seconds)
            elif disk.full():
                self._stop(End.OUT_OF_DISK, 0.0, disk.message)
            else:
                over = self._look(attempt.handle, min(POLL_SECONDS, left))
                if over is None:
                    self._endpoint.keep_up()
                    self._endpoint.note_calls()
        if over is None:
            sandbox.stop(attempt.handle, 0.0 if self._attempt.end is End.OUT_OF_DISK else self._config.grace_seconds)
            over = sandbox.wait(attempt.handle, END_SECONDS)
        if over is None:
            raise SandboxError("The agent could not be stopped; the sandbox does not end it.")
        if over.code is None and self._attempt.end is None:
            raise SandboxError("Nothing says how the agent ended; its supervisor was killed.")
        self._end(over)

    def _look(self, handle: str, seconds: float) -> Exit | None:
        """Wait for the end; a sandbox that fails to answer for a moment costs nobody a day's work."""
        try:
            over = self._sandbox.wait(handle, seconds)
        except SandboxError:
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            if now - self._silent_since >= self._site.patience_seconds:
                raise
            self._site.stopping.wait(min(POLL_SECONDS, self._site.patience_seconds))
            return None
        self._silent_since = None
        return over

    def _stop(self, why: End, grace: float, message: str | None = None) -> None:
        self._move(State.RUNNING, f"stopping: {why}", end=why, message=message)
        self._log.append("stopping", why=why.value, grace_seconds=grace)

    def _end(self, over: Exit) -> None:
        attempt, folder = self._attempt, self._folder
        assert attempt.handle is not None and self._endpoint is not None
        end = attempt.end or _end_of(over)
        facts = {"end": end, "exit_code": over.code, "ended_at": attempt.ended_at or datetime.now(UTC)}
        self._move(State.RUNNING, f"ended: {end}", **facts, message=attempt.message or _unusual(end, over))
        self._log.append("ended", end=end.value, exit_code=over.code)
        self._endpoint.stop()
        self._sandbox.logs(attempt.handle, folder.agent_log, AGENT_LOG_BYTES)
        report = collect_outputs(folder, self._config.disk_gb)
        self._log.append(
            "collected",
            files=report.files,
            bytes=report.bytes,
            skipped=report.skipped_count,
            skipped_examples=[f"{one.path}: {one.why}" for one in report.skipped[:10]],
        )
        sealed = sha256_of(folder.submission)
        self._log.append("sealed", submission_sha256=sealed)
        self._move(State.ENDED, "collected", validations=self._endpoint.count, submission_sha256=sealed)

    def _clean(self) -> None:
        if self._attempt.handle is not None:
            self._sandbox.remove(self._attempt.handle)
        self._folder.drop_outbox()

    def _grade(self) -> None:
        grader = self._site.grader
        report = earlier_grade(self._folder) or grade_sealed(
            grader, self._competition, self._attempt, self._folder, self._log
        )
        done = {"grade": report, "events_head": self._log.head}
        bundle = seal_done(self._folder, self._attempt, self._config, self._site.run_id, **done)
        self._move(State.DONE, report.outcome.value, **done, bundle=bundle)

    def _interrupt(self) -> None:
        """The runner is stopping: end the agent and queue the attempt again, ungraded."""
        assert self._attempt.handle is not None
        self._move(State.RUNNING, "interrupted", end=End.CANCELLED)
        self._sandbox.stop(self._attempt.handle, min(self._config.grace_seconds, END_SECONDS))
        self._requeue("interrupted")

    def _requeue(self, why: str) -> None:
        self._abandon()
        self._log.append("requeued", why=why)
        self._move(State.QUEUED, why, **FRESH)

    def _abandon(self) -> None:
        """Remove what runs, noted or not."""
        if self._endpoint is not None:
            self._endpoint.stop()
        if self._attempt.handle is not None:
            self._sandbox.remove(self._attempt.handle)
        self._sandbox.remove_named(sandbox_name(self._site.run_id, self._attempt))
        self._folder.drop_outbox()

    def _move(self, new: State, note: str, **fields: object) -> None:
        self._attempt = self._site.move(self._attempt.id, self._attempt.state, new, note, **fields)


def _end_of(over: Exit) -> End:
    if over.out_of_memory:
        return End.OUT_OF_MEMORY
    return End.FINISHED if over.code == 0 else End.CRASHED


def _unusual(end: End, over: Exit) -> str | None:
    if end is End.CRASHED:
        return f"The agent ended with exit code {over.code}; agent.log holds what it printed."
    return "The agent was killed because it used more memory than allowed." if end is End.OUT_OF_MEMORY else None
