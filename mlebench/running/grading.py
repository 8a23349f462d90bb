"""Grading the sealed submission of an attempt, at its end or once more later."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from mlebench.bundle.seal import seal
from mlebench.competition import Competition
from mlebench.grading.report import GradeReport, Outcome
from mlebench.registry import Registry
from mlebench.running.events import EventLog
from mlebench.running.files import write_json
from mlebench.running.folders import AttemptFolder
from mlebench.running.grader import GraderPool, failed_report
from mlebench.running.lock import run_lock
from mlebench.running.records import Attempt, End, RunConfig, Snapshot, State
from mlebench.running.snapshots import unpacked_sha256
from mlebench.running.store import RunStore, resolve_run


def grade_sealed(
    grader: GraderPool, competition: Competition, attempt: Attempt, folder: AttemptFolder, log: EventLog
) -> GradeReport:
    """Grade what was sealed when the attempt ended, note it in the event log, write grade.json."""
    report = grader.grade(competition, folder.submission)
    if report.submission_sha256 not in (None, attempt.submission_sha256):
        changed = "The submission is not the one that was sealed when the attempt ended; somebody changed it."
        report = failed_report(competition, folder.submission, grader.config, changed)
    report = report.model_copy(update={"submission_sha256": attempt.submission_sha256})
    log.append("graded", outcome=report.outcome.value, score=report.score, reason=report.reason)
    write_json(folder.grade, report.to_json())
    return report


def grade_snapshots(
    grader: GraderPool,
    competition: Competition,
    attempt: Attempt,
    folder: AttemptFolder,
    final: GradeReport,
    log: EventLog,
) -> list[Snapshot]:
    """The attempt's snapshots with their grades; one that is the final submission has that one's grade."""
    graded = []
    for one in attempt.snapshots:
        path = folder.path / one.file
        if one.sha256 == attempt.submission_sha256 and final.outcome is not Outcome.GRADER_ERROR:
            report = final
        elif unpacked_sha256(path) != one.sha256:
            changed = "The snapshot is not what was sealed while the agent ran; somebody changed it."
            report = failed_report(competition, path, grader.config, changed)
        else:
            report = grader.grade(competition, path)
        report = report.model_copy(update={"submission_sha256": one.sha256, "submission_path": str(path)})
        graded.append(one.model_copy(update={"grade": report}))
    if graded:
        facts = [
            {"number": one.number, "outcome": one.grade.outcome.value, "score": one.grade.score}
            for one in graded
            if one.grade is not None
        ]
        log.append("snapshots_graded", grades=facts)
    return graded


def seal_done(folder: AttemptFolder, attempt: Attempt, config: RunConfig, run_id: str, **fields: object) -> str:
    """Write the record of an attempt that is done with these fields, make its folder a bundle, return its digest.

    Before the store says done: a runner that is killed in between comes here again.
    """
    done = Attempt.model_validate({**attempt.model_dump(), **fields, "state": State.DONE})
    folder.write_record(done)
    return seal(folder.path, done, config, run_id=run_id)


def earlier_grade(folder: AttemptFolder) -> GradeReport | None:
    """The grade that a runner wrote down before it was killed, so that nothing is graded twice."""
    try:
        return GradeReport.model_validate(json.loads(folder.grade.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, ValidationError):
        return None


def regrade_run(path_or_name: str | Path, runs_dir: Path, known: Registry) -> list[GradeReport]:
    """Grade every attempt of a run that is done once more, from its sealed submission, without running any agent.

    For graders that were mended meanwhile. The store, grade.json and the event log get the new grade; attempts that
    are not done, or that no sandbox could run, stay as they are. `known` wins over the competitions the run remembers.
    """
    folder = resolve_run(path_or_name, runs_dir)
    reports = []
    with run_lock(folder), RunStore(folder) as store:
        remembered = [path for path in map(Path, store.config.competitions_dirs) if path.is_dir()]
        registry = Registry([*remembered, *known.dirs[1:]])
        with GraderPool(store.config, folder / "grader.log") as grader:
            for attempt in store.attempts():
                if attempt.state is not State.DONE or attempt.end is End.INFRASTRUCTURE:
                    continue
                place = AttemptFolder(folder / attempt.id)
                with EventLog(place.events) as log:
                    competition = registry.get(attempt.competition)
                    report = grade_sealed(grader, competition, attempt, place, log)
                    note = f"graded again: {report.outcome}"
                    snapshots = grade_snapshots(grader, competition, attempt, place, report, log)
                    fields = {"grade": report, "snapshots": snapshots, "events_head": log.head}
                    bundle = seal_done(place, attempt, store.config, store.id, **fields)
                    store.move(attempt.id, State.DONE, State.DONE, note, **fields, bundle=bundle)
                reports.append(report)
    return reports
