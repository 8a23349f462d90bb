"""Whether every attempt of a run was graded, once: by the store's transitions, the grade files, the event logs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from mlebench.chain import read_events, verify_chain
from mlebench.running.records import Attempt, State
from mlebench.running.store import Run, RunStore, Transition


@dataclass
class Judged:
    """What was found."""

    attempts: int = 0
    graded: int = 0
    """Attempts that are done with a valid grade."""
    tries: dict[int, int] = field(default_factory=dict)
    """How many attempts took one try, two, ..."""
    notes: dict[str, int] = field(default_factory=dict)
    """What the transitions tell of: adopted, lost, infrastructure failures."""
    faults: list[str] = field(default_factory=list)


def judge(folder: Path, expected: int) -> Judged:
    """Look at every attempt of a run that is over."""
    with RunStore(folder) as store:
        run, transitions = store.read(), store.transitions()
    found = Judged(attempts=len(run.attempts))
    if len({one.id for one in run.attempts}) != expected:
        found.faults.append(f"{len(run.attempts)} attempts instead of {expected}")
    for attempt in run.attempts:
        own = [one for one in transitions if one.attempt == attempt.id]
        faults = _faults(run, attempt, own)
        found.faults += [f"{attempt.id}: {fault}" for fault in faults]
        found.graded += not faults
        found.tries[attempt.tries] = found.tries.get(attempt.tries, 0) + 1
        for note in filter(None, map(_kind, own)):
            found.notes[note] = found.notes.get(note, 0) + 1
    return found


def span(folder: Path) -> float:
    """Seconds from the first attempt's start to the last one's grade."""
    with RunStore(folder) as store:
        times = [one.at for one in store.transitions()]
    return (max(times) - min(times)).total_seconds()


def _faults(run: Run, attempt: Attempt, transitions: list[Transition]) -> list[str]:
    if attempt.state is not State.DONE or attempt.grade is None:
        return [f"is {attempt.state}, {attempt.end or 'no end'}: {attempt.message}"]
    faults, folder = [], run.attempt_folder(attempt)
    ends = [one for one in transitions if one.new is State.DONE]
    if len(ends) != 1 or ends[0].old is not State.ENDED:
        faults.append(f"was done {len(ends)} times")
    if attempt.grade.outcome.value != "graded" or attempt.grade.score is None:
        faults.append(f"outcome {attempt.grade.outcome}, {attempt.grade.message}")
    submission = folder / "submission" / "submission.csv"
    if not submission.is_file():
        return [*faults, f"has no submission; {attempt.end}, exit code {attempt.exit_code}, {attempt.message}"]
    sealed = hashlib.sha256(submission.read_bytes()).hexdigest()
    if not sealed == attempt.submission_sha256 == attempt.grade.submission_sha256:
        faults.append("the submission is not the sealed one")
    written = json.loads((folder / "grade.json").read_text())
    if (written["score"], written["submission_sha256"]) != (attempt.grade.score, sealed):
        faults.append("grade.json and the store differ")
    if json.loads((folder / "attempt.json").read_text())["state"] != "done":
        faults.append("attempt.json does not say done")
    chain = verify_chain(folder / "events.jsonl", attempt.events_head)
    if not chain.holds:
        faults.append(f"events.jsonl: {chain.problem}")
    events = [one["event"] for one in read_events(folder / "events.jsonl")]
    if events.count("try") != attempt.tries or events[-1] not in ("graded", "snapshots_graded"):
        faults.append(
            f"events.jsonl tells of {events.count('try')} tries (the store of {attempt.tries}), ends with {events[-1]}"
        )
    return faults


def _kind(transition: Transition) -> str | None:
    if transition.note == "adopted":
        return "adopted by the next runner"
    if transition.old is State.RUNNING and transition.new is State.QUEUED:
        return f"queued again: {transition.note.partition(': ')[0].rstrip('.')}"
    if transition.note.startswith("infrastructure failure"):
        return "infrastructure failure"
    return None
