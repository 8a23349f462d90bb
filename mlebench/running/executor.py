"""The local executor: threads over sandboxes, one driver that alone writes the run store.

A new run and a resumed one are the same thing: every attempt goes on from the state the store has for it.
"""

from __future__ import annotations

import os
import queue
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from mlebench.errors import MlebenchError
from mlebench.gateway.api import GatewayDesk
from mlebench.grading.report import Outcome
from mlebench.hardware.api import LeaseDesk
from mlebench.running.attempt import AttemptLife
from mlebench.running.facts import RunFacts
from mlebench.running.folders import AttemptFolder
from mlebench.running.grader import GraderPool, GradingStoppedError, failed_report
from mlebench.running.interrupts import INTERRUPTED, two_presses
from mlebench.running.mail import Over, Request, answer
from mlebench.running.observer import Observer
from mlebench.running.plan import Plan
from mlebench.running.records import FRESH, Attempt, End, State
from mlebench.running.retries import BACKOFF_SECONDS, Retries
from mlebench.running.share import NoShareError
from mlebench.running.site import ENGINE_PATIENCE_SECONDS, PATIENCE_SECONDS, Site
from mlebench.running.store import NO_ROOM, NoRoomError, RunStore, is_no_room
from mlebench.sandbox.base import Sandbox
from mlebench.sandbox.engine import EngineAwayError
from mlebench.validation.scratch import sweep

GRADERS = 2
BUGS_FILE = "bugs.log"
"""In the run's folder: where in our code it happened, should it come to that."""


_URGENCY = {State.RUNNING: 0, State.ENDED: 1, State.QUEUED: 2}


class Executor:
    """Drives every attempt of a run to its end."""

    def __init__(
        self,
        store: RunStore,
        plan: Plan,
        sandbox: Sandbox,
        observer: Observer,
        *,
        gateway: GatewayDesk | None = None,
        leases: LeaseDesk | None = None,
        concurrency: int | None = None,
        backoff_seconds: float = BACKOFF_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        engine_patience_seconds: float = ENGINE_PATIENCE_SECONDS,
    ) -> None:
        """`gateway`: needed by agents with a model; started and stopped here. `leases`: what hands out the machine."""
        self._store = store
        self._plan = plan
        self._sandbox = sandbox
        self._observer = observer
        self._gateway = gateway
        self._leases = leases
        self._concurrency = concurrency or plan.config.concurrency
        self._patience = patience_seconds
        self._engine_patience = engine_patience_seconds
        self._retries = Retries(plan.config.max_tries, backoff_seconds, engine_patience_seconds)
        self._mail: queue.SimpleQueue[Request | Over] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._busy: set[str] = set()
        self._attempts: dict[str, Attempt] = {}
        self._told_to_wait: str | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to end before it was over."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask for a clean end: running attempts are stopped and queued again. Any thread may call it."""
        self._stop.set()

    def run(self) -> list[Attempt]:
        """Return when every attempt is done or given up, or when a stop was asked for and carried out."""
        self._attempts = {attempt.id: attempt for attempt in self._store.attempts()}
        workers = max(1, min(GRADERS, self._concurrency, os.cpu_count() or 1))
        with (
            GraderPool(self._plan.config, self._store.folder / "grader.log", workers=workers) as grader,
            two_presses(self._stop),
            self._ready(),
        ):
            site = Site(
                run_id=self._store.id,
                plan=self._plan,
                sandbox=self._sandbox,
                grader=grader,
                move=self._ask,
                stopping=self._stop,
                facts=RunFacts(self._store.id, self._plan, self._sandbox),
                gateway=self._gateway,
                leases=self._leases,
                patience_seconds=self._patience,
                engine_patience_seconds=self._engine_patience,
            )
            try:
                self._drive(site, grader)
            except BaseException:
                self._stop.set()
                raise
        sweep()  # a resumed run need not have started a service, which would have done it
        return self._store.attempts()

    @contextmanager
    def _ready(self) -> Iterator[None]:
        """Every attempt taken up where it was left, and the model gateway up where agents are still to run."""
        for attempt in list(self._attempts.values()):
            self._take_up(attempt)
        if self._gateway is None or all(one.state in (State.ENDED, State.DONE) for one in self._attempts.values()):
            yield
            return
        self._gateway.start()
        try:
            yield
        finally:
            self._gateway.stop()

    def _drive(self, site: Site, grader: GraderPool) -> None:
        told = False
        while True:
            if self._stop.is_set():
                if not told:
                    told = True
                    self._observer.stopping(len(self._busy))
                    grader.close()
            else:
                self._start_ready(site)
            if not self._busy and (told or not self._waiting()):
                return
            try:
                mail = self._mail.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(mail, Over):
                self._busy.discard(mail.attempt_id)
                self._over(mail)
            else:
                answer(mail)

    def _waiting(self) -> list[Attempt]:
        """Attempts that are not done, not given up and not being worked on: running, ended, then queued ones."""
        open_ones = [
            attempt
            for attempt in self._attempts.values()
            if attempt.state is not State.DONE
            and attempt.id not in self._busy
            and not self._retries.given_up(attempt.id)
        ]
        return sorted(open_ones, key=lambda attempt: _URGENCY[attempt.state])

    def _start_ready(self, site: Site) -> None:
        for attempt in self._waiting():
            # What runs already is looked after at once, however many there are.
            if len(self._busy) >= self._concurrency and attempt.state is not State.RUNNING:
                return
            if self._retries.ready(attempt):
                self._busy.add(attempt.id)
                # Daemon: a second Ctrl-C must not wait for it.
                threading.Thread(target=self._live, args=(site, attempt), name=attempt.id, daemon=True).start()

    def _live(self, site: Site, attempt: Attempt) -> None:
        last = Over(attempt.id)
        try:
            AttemptLife(site, attempt, AttemptFolder(self._store.folder / attempt.id)).live()
        except GradingStoppedError:
            pass
        except NoShareError as error:
            last = Over(attempt.id, str(error), no_share=True)
        except EngineAwayError as error:
            last = Over(attempt.id, str(error), passing=True)
        except (MlebenchError, OSError) as error:
            last = Over(attempt.id, NO_ROOM, passing=True) if is_no_room(error) else Over(attempt.id, str(error))
        except Exception as error:
            place = self._store.folder / BUGS_FILE
            with suppress(OSError), place.open("a", encoding="utf-8") as file:
                file.write(f"{attempt.id}\n{traceback.format_exc()}\n")
            what = f"A bug in mlebench ended it ({type(error).__name__}: {error}); please report this with {BUGS_FILE}."
            last = Over(attempt.id, what)
        self._mail.put(last)

    def _over(self, last: Over) -> None:
        if last.no_share:
            self._retries.no_share()
            why = f" ({last.failure})" if last.failure else ""
            self._tell_to_wait(
                f"All that attempts could be given of this machine is held{why}; the next ones wait for it."
            )
        elif last.passing:
            self._wait_for(last.attempt_id, last.failure or "")
        elif last.failure is not None:
            self._failed(last.attempt_id, last.failure)
        else:
            self._retries.came_to_an_end()
            self._told_to_wait = None

    def _tell_to_wait(self, why: str) -> None:
        if why != self._told_to_wait:
            self._told_to_wait = why
            self._observer.waiting(why)

    def _wait_for(self, attempt_id: str, failure: str) -> None:
        """Nothing is lost by waiting: what was started is left as it is and taken up when engine or room are back."""
        attempt, again = self._attempts[attempt_id], self._retries.engine_away(attempt_id)
        self._tell_to_wait(f"{failure} Waiting for it.")
        note = failure if again else f"given up: {failure}"
        with suppress(NoRoomError):  # then it is found as it was left
            if attempt.state is State.RUNNING and attempt.handle is None:
                self._move(attempt_id, State.RUNNING, State.QUEUED, note, **FRESH)
            elif not again:
                self._move(attempt_id, attempt.state, attempt.state, note)

    def _failed(self, attempt_id: str, failure: str) -> None:
        """The infrastructure failed: try again after a pause, or give up for this time."""
        attempt, tries = self._attempts[attempt_id], self._plan.config.max_tries
        if attempt.state is State.DONE:
            return  # only attempt.json, a copy, could not be written; the bundle has it
        failures, again = self._retries.failed(attempt_id)
        note = f"infrastructure failure {failures} of {tries}: {failure}"
        if attempt.state is State.RUNNING and attempt.end is not None:
            # The agent is over: its output waits in the outbox, and is collected now or when the run is resumed.
            self._move(attempt_id, State.RUNNING, State.RUNNING, note)
        elif attempt.state is State.ENDED:
            if not again:
                submission = AttemptFolder(self._store.folder / attempt_id).submission
                competition = self._plan.competitions[attempt.competition]
                report = failed_report(competition, submission, self._plan.config, failure)
                self._move(attempt_id, State.ENDED, State.DONE, note, grade=report)
        elif again:
            self._move(attempt_id, attempt.state, State.QUEUED, note, **FRESH)
        else:
            ended = {"end": End.INFRASTRUCTURE, "message": failure}
            self._move(attempt_id, attempt.state, State.DONE, f"given up: {failure}", **{**FRESH, **ended})

    def _take_up(self, attempt: Attempt) -> None:
        """What a resumed run does first: faults of ours get another chance, done attempts get their record."""
        folder = AttemptFolder(self._store.folder / attempt.id)
        if attempt.state is not State.DONE:
            return
        if attempt.end is End.INFRASTRUCTURE:
            self._move(attempt.id, State.DONE, State.QUEUED, "resumed after an infrastructure failure", **FRESH)
        elif attempt.grade is not None and attempt.grade.outcome is Outcome.GRADER_ERROR:
            folder.grade.unlink(missing_ok=True)
            fields = {"grade": None, "events_head": None}
            self._move(attempt.id, State.DONE, State.ENDED, "resumed after a grader error", **fields)
        elif not folder.attempt.exists():
            folder.write_record(attempt)

    def _ask(self, *args: Any, **fields: Any) -> Attempt:
        """Have the driver move an attempt (see RunStore.move) and wait until that is committed."""
        request = Request(partial(self._move, *args, **fields))
        self._mail.put(request)
        return request.reply.result()

    def _move(self, attempt_id: str, old: State, new: State, note: str = "", **fields: Any) -> Attempt:
        attempt = self._store.move(attempt_id, old, new, note, **fields)
        if new is State.DONE:
            AttemptFolder(self._store.folder / attempt_id).write_record(attempt)
            # Grades of snapshots are many, and nothing that a driver of hundreds of attempts has to keep in memory.
            attempt = attempt.model_copy(update={"snapshots": []})
        self._attempts[attempt_id] = attempt
        self._observer.changed(attempt, note)
        return attempt


def exit_code(attempts: list[Attempt], interrupted: bool) -> int:
    """0: every attempt was judged. 130: asked to end before that. 1: faults of ours keep some without a result."""
    if all(attempt.state is State.DONE and not attempt.failed for attempt in attempts):
        return 0
    return INTERRUPTED if interrupted else 1
