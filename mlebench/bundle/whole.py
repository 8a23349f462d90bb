"""Is the bundle what was sealed: its files, its records, its logs?"""

from __future__ import annotations

from dataclasses import dataclass

from mlebench.bundle.case import Case
from mlebench.bundle.claims import Claim, Claims, Topic, Verdict
from mlebench.bundle.seal import sources_of
from mlebench.bundle.source import Bundle
from mlebench.filenames import (
    ATTEMPT_FILE,
    BUNDLE_FILE,
    EGRESS_FILE,
    ENVIRONMENT_FILE,
    EVENTS_FILE,
    GRADE_FILE,
    USAGE_FILE,
)
from mlebench.text import plural
from mlebench.text import size as size_text

_SHOWN = 20


def file_problems(bundle: Bundle) -> list[str]:
    """Every file that was changed, added or is missing, a phrase each."""
    problems = list(bundle.problems)
    listed = bundle.index.files
    for path, file in listed.items():
        there = bundle.found.get(path)
        if there is None:
            problems.append(f"{path} is missing")
        elif there[0] != file.size:
            problems.append(f"{path} has {there[0]:,} bytes instead of {file.size:,}")
        elif there[1] != file.sha256:
            problems.append(f"{path} was changed")
    problems += [f"{path} was added" for path in sorted(bundle.found.keys() - listed.keys())]
    if bundle.digest != bundle.index.digest:
        problems.append(f"{BUNDLE_FILE} was changed: its content does not have the digest it names")
    return problems


@dataclass(frozen=True)
class Expected:
    """A digest from elsewhere."""

    digest: str
    told_by: str
    """Who says so, for people: "--expect-digest", "the run store"."""
    proves: bool = True
    """False: who can change the bundle can change this too, so that only a difference means something."""


def whole_claims(case: Case, problems: list[str], expected: Expected | None) -> list[Claim]:
    """Files, digest, records and chains."""
    claims = Claims(Topic.WHOLE)
    files = case.bundle.index.files
    total = size_text(sum(file.size for file in files.values()))
    claims.add(
        "files",
        "Every file is as it was sealed, and none was added or taken away.",
        not problems,
        f"{_some(problems)}."
        if problems
        else f"{plural(len(files), 'file')} ({total}) have the size and hash that bundle.json says.",
    )
    _origin(claims, case, expected)
    _records(claims, case)
    _chains(claims, case)
    return claims.made


def _origin(claims: Claims, case: Case, expected: Expected | None) -> None:
    claim = "It is the bundle that the runner sealed."
    digest = case.bundle.digest
    if expected is None:
        claims.add(
            "origin",
            claim,
            Verdict.UNKNOWN,
            "Whoever changes a bundle can seal it anew; only a digest that was published then "
            f"(--expect-digest) could tell. This one's is {digest}.",
        )
        return
    if expected.digest.lower().removeprefix("sha256:") != digest:
        claims.add("origin", claim, False, f"Its digest is {digest}, {expected.told_by} says {expected.digest}.")
    elif expected.proves:
        claims.add("origin", claim, True, f"Its digest is the one that {expected.told_by} says.")
    else:
        why = f"{expected.told_by[:1].upper()}{expected.told_by[1:]} has the same digest, {digest}, but who can change one"
        claims.add("origin", claim, Verdict.UNKNOWN, f"{why} can change both; --expect-digest takes a published one.")


def _records(claims: Claims, case: Case) -> None:
    index = case.bundle.index
    grade = case.document(GRADE_FILE)
    wrong = []
    if case.document(ATTEMPT_FILE) != index.attempt:
        wrong.append("attempt.json differs from the record in bundle.json")
    graded = case.attempt.grade
    listed = index.files.get(GRADE_FILE)
    if index.grade_sha256 != (listed.sha256 if listed else None):
        wrong.append("bundle.json names another grade than grade.json")
    if (graded is None) != (grade is None):
        wrong.append("only one of attempt.json and grade.json has a grade")
    elif graded is not None and grade is not None and grade != graded.to_json():
        wrong.append("grade.json differs from the grade in attempt.json")
    events = index.heads.get(EVENTS_FILE)
    if case.attempt.events_head != (events.hash if events else None):
        wrong.append("the attempt's record names another end of events.jsonl")
    usage = index.heads.get(USAGE_FILE)
    if case.attempt.usage_head is not None and case.attempt.usage_head != (usage.hash if usage else None):
        wrong.append("the attempt's record names another end of usage.jsonl")
    environment = case.environment
    if environment is None and ENVIRONMENT_FILE in index.files:
        wrong.append("environment.json cannot be read")
    if environment is not None and (environment.attempt, environment.seed) != (case.attempt.id, case.attempt.seed):
        wrong.append("environment.json is another attempt's")
    if environment is not None and index.sources != sources_of(environment, case.attempt):
        wrong.append("bundle.json names other sources than environment.json")
    image = environment.image if environment is not None else None
    if image is not None and case.attempt.image_id not in (None, image.id):
        wrong.append("attempt.json names another image than environment.json")
    wrong += _told_otherwise(case)
    claims.add(
        "records",
        "Its records tell the same.",
        not wrong,
        f"{_some(wrong)}." if wrong else "attempt.json, grade.json, the logs' ends and bundle.json agree.",
    )


def _told_otherwise(case: Case) -> list[str]:
    """Where the event log, whose lines are chained, says something else than a record."""
    if case.story is None:
        return []
    wrong = []
    grade, files = case.attempt.grade, case.bundle.index.files
    if (graded := case.story.named("graded")) and grade is not None:
        told = {key: graded[-1].get(key) for key in ("outcome", "score", "reason")}
        if told != {"outcome": grade.outcome.value, "score": grade.score, "reason": grade.reason}:
            wrong.append("the event log has another grade")
    if told_snapshots := case.story.named("snapshots_graded"):
        kept = [
            {"number": one.number, "outcome": one.grade.outcome.value, "score": one.grade.score}
            for one in case.attempt.snapshots
            if one.grade is not None
        ]
        if told_snapshots[-1].get("grades") != kept:
            wrong.append("the event log has other grades of the snapshots")
    if noted := case.story.named("environment"):
        listed = files.get(ENVIRONMENT_FILE)
        if noted[-1].get("sha256") != (listed.sha256 if listed else None):
            wrong.append("environment.json is not the one that the event log names")
    if noted := case.story.named("egress"):
        head = case.bundle.index.heads.get(EGRESS_FILE)
        if noted[-1].get("head") != (head.hash if head else None):
            wrong.append("the event log names another end of egress.jsonl")
    ended, end = case.story.named("concluded") or case.story.named("ended"), case.attempt.end
    if ended and end is not None and ended[-1].get("end") != end.value:
        wrong.append("the event log has another end")
    return wrong


def _chains(claims: Claims, case: Case) -> None:
    broken = [f"{log.name}: {log.problem}" for log in case.logs.values() if log.problem]
    lacking = EVENTS_FILE not in case.logs
    if lacking:
        broken.append("events.jsonl is missing or was changed")
    lines = ", ".join(f"{log.name} ({plural(log.lines, 'line')})" for log in case.logs.values())
    claims.add(
        "chains",
        "No line of its logs was changed, dropped or put in.",
        not broken,
        f"{_some(broken)}." if broken else f"The chains of {lines} are unbroken and end as sealed.",
    )


def _some(problems: list[str]) -> str:
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more
