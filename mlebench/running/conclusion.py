"""When the agent is over: collect what it left, seal the submission, tell the end apart."""

from __future__ import annotations

from typing import Any

from mlebench.running.claim import read_claim, refined_end, unusual
from mlebench.running.events import EventLog
from mlebench.running.files import sha256_of
from mlebench.running.folders import AttemptFolder
from mlebench.running.outputs import collect_outputs
from mlebench.running.records import Attempt, RunConfig


def conclude(
    attempt: Attempt, folder: AttemptFolder, config: RunConfig, log: EventLog, *, refused: bool
) -> dict[str, Any]:
    """Fields of the attempt's record that follow from what it left; may be repeated.

    `attempt` says already how it ended as the sandbox and the limits tell it. `refused`: whether a model call was
    turned away because the budget is used up.
    """
    assert attempt.end is not None and attempt.ended_at is not None and attempt.deadline_at is not None
    report = collect_outputs(folder, config.disk_gb)
    log.append(
        "collected",
        files=report.files,
        bytes=report.bytes,
        skipped=report.skipped_count,
        skipped_examples=[f"{one.path}: {one.why}" for one in report.skipped[:10]],
    )
    claim = read_claim(folder.path / "logs")
    left = (attempt.deadline_at - attempt.ended_at).total_seconds()
    end = refined_end(attempt.end, claim, refused=refused, left_seconds=left, limit=config.time_limit_seconds)
    log.append("concluded", end=end.value, claim=claim.model_dump(mode="json") if claim else None)
    sealed = sha256_of(folder.submission)
    log.append("sealed", submission_sha256=sealed)
    return {
        "end": end,
        "claim": claim,
        "message": attempt.message or unusual(end, attempt.exit_code, claim),
        "submission_sha256": sealed,
    }
