"""Do the figures of the record agree with what the logs say, line by line?"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from mlebench.bundle.case import Case
from mlebench.bundle.claims import Claim, Claims, Topic, Verdict
from mlebench.bundle.logs import documents, lines_are_short
from mlebench.bundle.usage import tally
from mlebench.filenames import USAGE_FILE, VALIDATIONS_FILE
from mlebench.gateway.api import Spent, Usage
from mlebench.gateway.totals import Totals
from mlebench.grading.report import Outcome
from mlebench.running.endpoint import LOGGED_CALLS
from mlebench.running.records import Snapshot
from mlebench.text import plural

_BLOCK = 1 << 20
_EXACT = (
    *("calls", "errors", "refused", "replayed", "retries", "unmetered"),
    *("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning"),
)
_CENT = 1e-6
"""Dollars by which sums of floats may differ."""
_SUBMISSION = "submission/submission.csv"


def count_claims(case: Case) -> list[Claim]:
    """Submission, snapshots, validations, usage."""
    claims = Claims(Topic.COUNTS)
    _submission(claims, case)
    _snapshot_files(claims, case)
    _validations(claims, case)
    _usage(claims, case)
    return claims.made


def _submission(claims: Claims, case: Case) -> None:
    claim = "What was graded is what the agent left."
    attempt = case.attempt
    hashes: dict[str, str | None] = {"the record": attempt.submission_sha256}
    listed = case.bundle.index.files.get(_SUBMISSION)
    hashes["the file in the bundle"] = listed.sha256 if listed else None
    if case.story is not None and (sealed := case.story.named("sealed")):
        hashes["the log's seal"] = sealed[-1].get("submission_sha256")
    if attempt.grade is not None:
        hashes["the grade"] = attempt.grade.submission_sha256
    if len(set(hashes.values())) > 1:
        told = ", ".join(f"{where} says {(value or 'none')[:12]}" for where, value in hashes.items())
        claims.add("submission", claim, False, f"The submission's hashes differ: {told}.")
    elif attempt.submission_sha256 is None:
        submitted = attempt.grade is not None and attempt.grade.outcome not in (
            Outcome.NO_SUBMISSION,
            Outcome.GRADER_ERROR,
        )
        why = "A grade speaks of a submission that is not there." if submitted else "It left no submission."
        claims.add("submission", claim, not submitted, why)
    else:
        why = f"{_list(list(hashes))} name the same hash ({attempt.submission_sha256[:12]}…)"
        claims.add("submission", claim, True, f"{why[:1].upper()}{why[1:]}.")


def _snapshot_files(claims: Claims, case: Case) -> None:
    snapshots = case.attempt.snapshots
    if not snapshots:
        return
    wrong = []
    for snapshot in snapshots:
        path = case.bundle.path(snapshot.file)
        if path is None:
            wrong.append(f"{snapshot.file} is missing or was changed")
        elif unpacked_sha256(path, snapshot.bytes) != snapshot.sha256:
            wrong.append(f"{snapshot.file} is not the file that was sealed")
    ungraded = sum(snapshot.grade is None for snapshot in snapshots)
    graded = f"; {len(snapshots) - ungraded} of them are graded" if ungraded else ", each with a grade"
    why = f"{'; '.join(wrong[:5])}." if wrong else f"{plural(len(snapshots), 'file')} with the sealed hash{graded}."
    claims.add("snapshot_files", "The snapshots are the files that were sealed.", not wrong, why)


def unpacked_sha256(path: Path, size: int) -> str | None:
    """Hash of a packed snapshot's content; None where it is damaged or not `size` bytes long."""
    computed, seen = hashlib.sha256(), 0
    try:
        with gzip.open(path) as file:
            while block := file.read(_BLOCK):
                seen += len(block)
                if seen > size:
                    return None
                computed.update(block)
    except (OSError, EOFError, zlib.error):
        return None
    return computed.hexdigest() if seen == size else None


def snapshot_copy(path: Path, snapshot: Snapshot, target: Path) -> bool:
    """Unpack a snapshot to grade it; whether it is the one that was sealed."""
    if unpacked_sha256(path, snapshot.bytes) != snapshot.sha256:
        return False
    with gzip.open(path) as source, target.open("wb") as copy:
        while block := source.read(_BLOCK):
            copy.write(block)
    return True


def _validations(claims: Claims, case: Case) -> None:
    claim = "Every question to the validation endpoint is counted."
    counted = case.attempt.validations
    noted = _lines(case, VALIDATIONS_FILE)
    if noted is None and VALIDATIONS_FILE not in case.bundle.index.files:
        noted = 0
    if noted is None or case.story is None:
        claims.add("validations", claim, Verdict.UNKNOWN, "The endpoint's log or the event log cannot be read.")
        return
    logged = len(case.story.named("validation"))
    agree = noted == counted and logged == min(counted, LOGGED_CALLS)
    why = f"The record counts {counted}, the endpoint noted {noted}, the event log has {logged}"
    if agree and counted > LOGGED_CALLS:
        why += f" (it lists the first {LOGGED_CALLS:,})"
    claims.add("validations", claim, agree, f"{why}.")


def _lines(case: Case, name: str) -> int | None:
    path = case.bundle.path(name)
    if path is None or not lines_are_short(path):
        return None
    try:
        return sum(1 for _ in documents(path))
    except ValueError:
        return None


def _usage(claims: Claims, case: Case) -> None:
    claim = "The model usage is the sum of its logged calls."
    usage = case.attempt.usage
    path = case.bundle.path(USAGE_FILE)
    if usage is None and path is None:
        why = "It had no model." if case.run.model is None else "There is neither a log of calls nor a total."
        claims.add("usage", claim, True if case.run.model is None else Verdict.UNKNOWN, why)
        return
    if usage is None:
        claims.add("usage", claim, False, "There is a log of model calls, but the record has no total.")
        return
    summed = tally(path) if path is not None and case.logs[USAGE_FILE].problem is None else None
    if summed is None and usage.calls == 0 and usage.refused == 0 and path is None:
        claims.add("usage", claim, True, "It asked no model anything.")
        return
    if summed is None:
        claims.add("usage", claim, Verdict.UNKNOWN, "usage.jsonl is missing, broken or cannot be read.")
        return
    wrong = _differences(usage, summed)
    noted = case.story.named("usage") if case.story is not None else []
    if noted and {key: noted[-1].get(key) for key in usage.model_dump()} != usage.model_dump(mode="json"):
        wrong.append("other totals than the event log")
    cost = "unknown cost" if usage.usd is None else f"${usage.usd:.4f}"
    told = f"{plural(usage.calls, 'call')}, {usage.tokens_in:,} tokens in, {usage.tokens_out:,} out, {cost}"
    if usage.unmetered:
        told += f"; the tokens of {plural(usage.unmetered, 'call')} are estimates"
    claims.add("usage", claim, not wrong, f"The log's lines give {'; '.join(wrong)}." if wrong else f"{told}.")


def _differences(usage: Usage, summed: Totals) -> list[str]:
    counted = summed.usage(usage.prices, usage.head)
    wrong = [
        f"{getattr(counted, name)} as {name.replace('_', ' ')} instead of {getattr(usage, name)}"
        for name in (*_EXACT, "models", "unpriced", "exhausted")
        if getattr(counted, name) != getattr(usage, name)
    ]
    for model in usage.spent.keys() | counted.spent.keys():
        said, there = usage.spent.get(model, Spent()), counted.spent.get(model, Spent())
        if (said.tokens_in, said.tokens_out) != (there.tokens_in, there.tokens_out) or _apart(said.usd, there.usd):
            wrong.append(f"another share of {model}")
    if _apart(counted.usd, usage.usd):
        wrong.append(f"${summed.usd:.6f} instead of {'an unknown cost' if usage.usd is None else f'${usage.usd:.6f}'}")
    return wrong


def _apart(one: float | None, other: float | None) -> bool:
    return (one is None) != (other is None) or abs((one or 0.0) - (other or 0.0)) > _CENT


def _list(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
