"""With the answers at hand: grade the sealed submission and the snapshots once more, and compare."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlebench.bundle.case import Case
from mlebench.bundle.claims import Claim, Claims, Topic, Verdict
from mlebench.bundle.counts import snapshot_copy
from mlebench.bundle.hashes import encode_path
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir, PreparedPaths
from mlebench.errors import UsageError
from mlebench.grading.report import GradeReport, Outcome
from mlebench.registry import Registry
from mlebench.text import medal, number, plural

if TYPE_CHECKING:
    from mlebench.competition import Competition, Edition
    from mlebench.grading.grade import Grader

_SAME = "Grading the sealed submission again gives the same."
_SAME_SNAPSHOTS = "Grading the snapshots again gives the same."
_CLEAN = "No file of the answers is in the bundle."


def grade_claims(case: Case, data: DataDir | None, registry: Registry) -> list[Claim]:
    """Compare the recorded grades with new ones; without prepared data nothing can be shown."""
    claims = Claims(Topic.GRADE)
    name = case.attempt.competition
    if case.attempt.grade is None:
        claims.add("regrade", _SAME, Verdict.UNKNOWN, "There is no grade to compare with.")
        return claims.made
    if data is None:
        claims.add("regrade", _SAME, Verdict.UNKNOWN, "It was not graded again: give the data with --data-dir.")
        return claims.made
    try:
        competition = registry.get(name)
        paths = data.require_prepared(competition, case.run.edition)
    except UsageError as error:
        claims.add("regrade", _SAME, Verdict.UNKNOWN, f"It cannot be graded here: {error}")
        return claims.made
    _same_preparation(claims, case, paths)
    _no_answers(claims, case, paths)
    grader = _grader(competition, paths, case.run.edition)
    recorded = case.attempt.grade
    where = _same_data(case, grader.answers_sha256, paths)
    submission = case.bundle.path("submission/submission.csv")
    if recorded.outcome is Outcome.GRADER_ERROR:
        claims.add("regrade", _SAME, Verdict.UNKNOWN, f"Its grader failed: {recorded.message}")
    elif submission is None and case.attempt.submission_sha256 is not None:
        claims.add("regrade", _SAME, Verdict.UNKNOWN, "The submission in the bundle is not the sealed one.")
    else:
        with tempfile.TemporaryDirectory() as nowhere:
            fresh = grader.grade(submission or Path(nowhere) / "submission.csv")
        wrong = compare_grades(recorded, fresh)
        if wrong and where:
            claims.add("regrade", _SAME, Verdict.UNKNOWN, f"{where}; on these {'; '.join(wrong)}.")
        else:
            told = f"score {number(fresh.score)}" if fresh.valid else fresh.outcome.value.replace("_", " ")
            won = f", {medal(fresh.medal, synthetic=fresh.synthetic)}" if fresh.medal else ""
            claims.add("regrade", _SAME, not wrong, f"{'; '.join(wrong)}." if wrong else f"Again {told}{won}.")
    _snapshots(claims, case, grader.grade, where)
    return claims.made


@lru_cache(maxsize=1)
def _grader(competition: Competition, paths: PreparedPaths, edition: Edition) -> Grader:
    """Attempts of one competition, verified one after the other, read its answers once."""
    from mlebench.grading.grade import Grader

    return Grader(competition, paths, edition=edition)


def compare_grades(recorded: GradeReport, fresh: GradeReport) -> list[str]:
    """What differs, a phrase each."""
    wrong = []
    if recorded.outcome is not fresh.outcome:
        return [f"the outcome is {fresh.outcome.value} instead of {recorded.outcome.value}"]
    if recorded.score != fresh.score:
        wrong.append(f"the score is {number(fresh.score)} instead of {number(recorded.score)}")
    if recorded.reason != fresh.reason:
        wrong.append(f"the reason is {fresh.reason} instead of {recorded.reason}")
    for what in ("medal", "above_median"):
        if getattr(recorded, what) != getattr(fresh, what):
            wrong.append(f"{what.replace('_', ' ')} is {getattr(fresh, what)} instead of {getattr(recorded, what)}")
    if recorded.thresholds != fresh.thresholds:
        wrong.append("the medal thresholds differ")
    return wrong


def _same_data(case: Case, answers_sha256: str, paths: PreparedPaths) -> str | None:
    """Why a different score would say nothing; None when the data is the attempt's own."""
    recorded = case.attempt.grade.answers_sha256 if case.attempt.grade else None
    if recorded is not None and recorded != answers_sha256:
        return "The answers here are others than those it was graded with"
    return None


def _same_preparation(claims: Claims, case: Case, paths: PreparedPaths) -> None:
    claim = "The prepared data here is what it ran on."
    noted, manifest = case.bundle.index.sources.data, read_manifest(paths.manifest)
    if noted is None or manifest is None:
        where = "The bundle" if noted is None else "The data here"
        claims.add("same_data", claim, Verdict.UNKNOWN, f"{where} has no manifest to compare with.")
    elif noted == manifest.content_sha256:
        claims.add("same_data", claim, True, f"All {plural(len(manifest.files), 'file')} have the same hash.")
    else:
        why = "Some files have other hashes or names: it was prepared from another source, or by another version."
        claims.add("same_data", claim, Verdict.UNKNOWN, why)


def answer_hashes(paths: PreparedPaths) -> dict[str, str]:
    """sha256 -> name of the private files that are not public as well."""
    manifest = read_manifest(paths.manifest)
    if manifest is None:
        return {}
    public = {entry.sha256 for name, entry in manifest.files.items() if name.startswith("public/")}
    return {
        entry.sha256: name
        for name, entry in manifest.files.items()
        if name.startswith("private/") and entry.sha256 not in public and entry.size
    }


def _no_answers(claims: Claims, case: Case, paths: PreparedPaths) -> None:
    secret = answer_hashes(paths)
    if not secret:
        claims.add("no_answers", _CLEAN, Verdict.UNKNOWN, "The prepared data here has no manifest to compare with.")
        return
    found = [path for path, file in case.bundle.index.files.items() if file.sha256 in secret]
    copies = [path for path in found if path != encode_path("submission/submission.csv")]
    if copies:
        claims.add("no_answers", _CLEAN, False, f"{', '.join(copies[:5])}: byte for byte a file of the answers.")
    elif found:
        claims.add("no_answers", _CLEAN, False, "The submission is byte for byte the file of the answers.")
    else:
        files = plural(len(secret), "private file")
        claims.add(
            "no_answers", _CLEAN, True, f"None of its files is byte for byte one of the answers ({files} compared)."
        )


def _snapshots(claims: Claims, case: Case, grade: object, where: str | None) -> None:
    snapshots = [one for one in case.attempt.snapshots if one.grade and one.grade.outcome is not Outcome.GRADER_ERROR]
    if not snapshots:
        return
    assert callable(grade)
    wrong, lacking = [], 0
    with tempfile.TemporaryDirectory(prefix="mlebench-snapshots-") as scratch:
        target = Path(scratch) / "submission.csv"
        for snapshot in snapshots:
            path = case.bundle.path(snapshot.file)
            if path is None or not snapshot_copy(path, snapshot, target):
                lacking += 1
                continue
            assert snapshot.grade is not None
            wrong += [f"snapshot {snapshot.number}: {one}" for one in compare_grades(snapshot.grade, grade(target))]
    why = f"Again the same for {plural(len(snapshots) - lacking, 'snapshot')}."
    verdict: Verdict | bool = not wrong
    if wrong:
        why = f"{'; '.join(wrong[:5])}."
        if where:
            verdict, why = Verdict.UNKNOWN, f"{where}; on these {why}"
    elif lacking:
        verdict, why = Verdict.UNKNOWN, f"{plural(lacking, 'snapshot')} of {len(snapshots)} cannot be read."
    claims.add("regrade_snapshots", _SAME_SNAPSHOTS, verdict, why)
