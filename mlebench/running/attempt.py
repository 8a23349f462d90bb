"""One attempt's life: from queued to done, or on from wherever a killed runner left it.

    queued --launch--> running --watch, collect, seal--> ended --grade--> done

The store is asked to move at each step before the next one begins, so that at any moment it tells how to go on.
What is around the agent meanwhile: services.py, limits.py, snapshots.py.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mlebench.errors import MlebenchError, SandboxError
from mlebench.running.adoption import fault_of_ours, overrun, spent_unnoted, why_lost
from mlebench.running.claim import end_of
from mlebench.running.conclusion import conclude
from mlebench.running.door import new_key
from mlebench.running.events import EventLog, events_of_try
from mlebench.running.folders import AttemptFolder
from mlebench.running.grading import earlier_grade, grade_sealed, grade_snapshots, seal_done
from mlebench.running.limits import Breach, BudgetWatch, Clock, Limits
from mlebench.running.live import Live, LiveFile
from mlebench.running.notices import Notices
from mlebench.running.outputs import AGENT_LOG_BYTES, DiskWatch
from mlebench.running.records import FRESH, Attempt, End, State
from mlebench.running.services import Services, note_environment
from mlebench.running.share import HeldShare
from mlebench.running.site import Site
from mlebench.running.snapshots import Snapshots
from mlebench.running.spec import sandbox_name, sandbox_spec
from mlebench.running.store import is_no_room
from mlebench.sandbox.base import Exit
from mlebench.sandbox.engine import EngineAwayError

POLL_SECONDS = 2.0
END_SECONDS = 15.0
"""How long a sandbox may take to say how the agent ended, after it was stopped."""


class AttemptLife:
    """Drives one attempt; used by one thread."""

    def __init__(self, site: Site, attempt: Attempt, folder: AttemptFolder) -> None:
        self._site = site
        self._config = site.plan.config
        self._sandbox = site.sandbox
        self._name = sandbox_name(site.run_id, attempt)
        self._folder = folder
        self._attempt = attempt
        self._log: EventLog
        self._past: list[dict[str, Any]] = []
        self._services: Services | None = None
        limits_memory = site.sandbox.isolates or site.plan.config.memory_gb is not None
        self._share = HeldShare(site.leases, self._name, limits_memory=limits_memory)
        self._live = LiveFile(folder.path)
        self._silent_since: float | None = None

    def live(self) -> None:
        """Bring the attempt to done, or back to queued when the runner is stopping.

        Raises NoShareError, with nothing done, while the machine has no share for it; SandboxError or OSError when the
        infrastructure failed. While the agent ran, what is left of it is removed then, as far as possible; after its
        end its output stays, so that collecting can be tried again.
        """
        if self._attempt.state is State.QUEUED:
            self._share.take()
        try:
            self._folder.path.mkdir(exist_ok=True)
            with EventLog(self._folder.events) as self._log:
                self._run()
                self._share.release()
                if self._attempt.state is State.ENDED:
                    self._clean()
                    self._grade()
        finally:
            self._share.release()

    def _run(self) -> None:
        try:
            if self._attempt.state is State.QUEUED:
                self._launch()
            elif self._attempt.state is State.RUNNING:
                self._adopt()
            if self._attempt.state is State.RUNNING:
                self._watch()
        except BaseException as error:
            with suppress(OSError):
                self._log.append("infrastructure_failure", message=str(error))
            # Under an engine that is only away, or with a full disk, what runs may go on, and is adopted afterwards.
            passing = isinstance(error, EngineAwayError) or is_no_room(error)
            if self._attempt.end is None and not (passing and self._attempt.handle):
                with suppress(MlebenchError, OSError):
                    self._abandon()
            raise
        finally:
            self._live.drop()
            if self._services is not None:
                self._services.close()

    def _launch(self) -> None:
        attempt, site = self._attempt, self._site
        if attempt.tries:
            # The try before may have failed in a way that kept it from being removed.
            self._sandbox.remove_named(self._name)
            if (spent := spent_unnoted(self._folder)) is not None:
                self._log.append("usage", **spent.model_dump(mode="json"))
        self._folder.clear()
        given = {
            "tries": attempt.tries + 1,
            "share": self._share.share,
            "gateway_key": new_key() if site.gateway is not None else None,
        }
        self._move(State.RUNNING, f"try {attempt.tries + 1}", **{**FRESH, **given})
        self._log.append("try", number=self._attempt.tries, sandbox=self._sandbox.name, network=self._config.network)
        self._services = Services(site, self._attempt, self._folder, self._log, [])
        endpoints = self._services.open()
        Notices(self._folder.notices, self._log, []).open()
        hardware = site.facts.hardware_line(self._attempt)
        spec = sandbox_spec(site.plan, site.run_id, self._attempt, self._folder, self._sandbox, endpoints, hardware)
        handle = self._sandbox.start(spec)
        now = datetime.now(UTC)
        self._attempt = self._attempt.model_copy(update={"handle": handle})
        self._move(
            State.RUNNING,
            "started",
            handle=handle,
            started_at=now,
            deadline_at=now + timedelta(seconds=self._config.time_limit_seconds),
            **self._services.ports(),
        )
        self._log.append("started", image=spec.image, deadline_at=self._attempt.deadline_at.isoformat())  # type: ignore[union-attr]
        self._note_environment()

    def _note_environment(self) -> None:
        assert self._services is not None
        image = note_environment(self._site.facts, self._attempt, self._services, self._folder, self._log)
        if image is not None:
            self._move(State.RUNNING, "environment", image_id=image)

    def _adopt(self) -> None:
        """Take over what a killed runner left: still running, ended meanwhile, or lost."""
        self._past = events_of_try(self._folder.events)
        lost = why_lost(self._sandbox, self._attempt, self._folder)
        if lost is not None:
            self._requeue(lost)
            return
        assert self._attempt.handle is not None
        self._share.adopt(self._attempt.share)
        self._services = Services(self._site, self._attempt, self._folder, self._log, self._past)
        self._services.reopen()
        running = self._sandbox.alive(self._attempt.handle)
        self._move(State.RUNNING, "adopted", **self._services.ports())
        self._log.append("adopted", running=running)
        if not self._folder.environment.exists():
            self._note_environment()
        over = overrun(self._sandbox, self._attempt, self._folder, self._config.grace_seconds + END_SECONDS)
        if over > 0:
            self._log.append("overrun", seconds=over)
            message = f"No runner watched when its time was over; it could go on for up to {over:.0f} s more."
            self._move(State.RUNNING, "overrun", end=End.OUT_OF_TIME, message=message)

    def _watch(self) -> None:
        """Wait for the agent's end, see that it keeps to its limits, collect what it left."""
        attempt, config = self._attempt, self._config
        assert attempt.handle is not None and attempt.started_at is not None and attempt.deadline_at is not None
        notices = Notices(self._folder.notices, self._log, self._past)
        limits = Limits(
            Clock(config, attempt.started_at, attempt.deadline_at, notices),
            DiskWatch(self._folder.outbox, config.disk_gb, partial(self._sandbox.disk_usage, attempt.handle)),
            BudgetWatch(config, notices, attempt.exhausted_at),
        )
        snapshots = Snapshots(self._folder, self._log, self._past, attempt.started_at, config.snapshot_seconds)
        over: Exit | None = None
        while over is None and self._attempt.end is None:
            if self._site.stopping.is_set():
                self._interrupt()
                return
            breach = limits.breach()
            if breach is not None:
                self._stop(breach)
                continue
            over = self._look(attempt.handle, min(POLL_SECONDS, limits.clock.seconds_to_next()))
            if over is None:
                self._look_after(limits, snapshots)
        if over is None:
            self._sandbox.stop(attempt.handle, 0.0 if self._attempt.end is End.OUT_OF_DISK else config.grace_seconds)
            over = self._sandbox.wait(attempt.handle, END_SECONDS)
        if over is None:
            raise SandboxError("The agent could not be stopped; the sandbox does not end it.")
        fault = fault_of_ours(over) if self._attempt.end is None else None
        if fault is not None:
            raise SandboxError(f"The attempt was lost: {fault}.")
        self._end(over, limits.budget, snapshots)

    def _look(self, handle: str, seconds: float) -> Exit | None:
        """Wait for the end; a sandbox that fails to answer for a moment costs nobody a day's work."""
        try:
            over = self._sandbox.wait(handle, seconds)
        except SandboxError as error:
            now, site = time.monotonic(), self._site
            self._silent_since = self._silent_since or now
            away = isinstance(error, EngineAwayError)
            if now - self._silent_since >= (site.engine_patience_seconds if away else site.patience_seconds):
                raise
            self._site.stopping.wait(min(POLL_SECONDS, self._site.patience_seconds))
            return None
        self._silent_since = None
        return over

    def _look_after(self, limits: Limits, snapshots: Snapshots) -> None:
        """What is done every few seconds while the agent runs."""
        assert self._services is not None
        self._services.look_after()
        limits.clock.warn()
        if snapshots.look():
            self._move(State.RUNNING, "snapshot", snapshots=snapshots.kept)
        usage = self._services.usage()
        if usage is not None and limits.budget.look(usage):
            self._log.append("budget_exhausted", what=usage.exhausted)
            self._move(State.RUNNING, f"budget used up: {usage.exhausted}", exhausted_at=limits.budget.exhausted_at)
        counts = {"validations": self._services.validations, "snapshots": len(snapshots.kept)}
        self._live.write(Live(**counts, usage=usage, telemetry=self._services.telemetry()))

    def _stop(self, breach: Breach) -> None:
        self._move(State.RUNNING, f"stopping: {breach.end}", end=breach.end, message=breach.message)
        self._log.append("stopping", why=breach.end.value, grace_seconds=breach.grace_seconds)

    def _end(self, over: Exit, budget: BudgetWatch, snapshots: Snapshots) -> None:
        assert self._attempt.handle is not None and self._services is not None
        end, ended_at = self._attempt.end or end_of(over), self._attempt.ended_at or datetime.now(UTC)
        self._move(State.RUNNING, f"ended: {end}", end=end, exit_code=over.code, ended_at=ended_at)
        self._log.append("ended", end=end.value, exit_code=over.code)
        totals = self._services.close()
        if totals.usage is not None:
            budget.look(totals.usage)
            self._log.append("usage", **totals.usage.model_dump(mode="json"))
        self._sandbox.logs(self._attempt.handle, self._folder.agent_log, AGENT_LOG_BYTES)
        refused = budget.exhausted_at is not None
        facts = conclude(self._attempt, self._folder, self._config, self._log, refused=refused)
        counted = {
            "validations": totals.validations,
            "telemetry": totals.telemetry,
            "usage": totals.usage,
            "usage_head": totals.usage.head if totals.usage is not None else None,
            "exhausted_at": budget.exhausted_at,
            "snapshots": snapshots.kept,
        }
        self._move(State.ENDED, "collected", **facts, **counted, gateway_key=None)

    def _clean(self) -> None:
        if self._attempt.handle is not None:
            self._sandbox.remove(self._attempt.handle)
        self._folder.drop_outbox()

    def _grade(self) -> None:
        grader, competition = self._site.grader, self._site.plan.competitions[self._attempt.competition]
        report = earlier_grade(self._folder) or grade_sealed(
            grader, competition, self._attempt, self._folder, self._log
        )
        snapshots = grade_snapshots(grader, competition, self._attempt, self._folder, report, self._log)
        done = {"grade": report, "snapshots": snapshots, "events_head": self._log.head}
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
        if self._services is not None:
            with suppress(SandboxError):  # its services may be what failed
                totals = self._services.close()
                if totals.usage is not None:
                    self._log.append("usage", **totals.usage.model_dump(mode="json"))
        if self._attempt.handle is not None:
            self._sandbox.remove(self._attempt.handle)
        self._sandbox.remove_named(self._name)
        self._folder.drop_outbox()

    def _move(self, new: State, note: str, **fields: object) -> None:
        self._attempt = self._site.move(self._attempt.id, self._attempt.state, new, note, **fields)
