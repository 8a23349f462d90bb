"""Does the order of events make sense: sealed before graded, nothing graded or tried again to one's taste, time kept?"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from mlebench.bundle.case import Case
from mlebench.bundle.claims import Claim, Claims, Topic, Verdict
from mlebench.bundle.logs import Story
from mlebench.duration import format_duration
from mlebench.running.records import End
from mlebench.text import plural

END_SLACK_SECONDS = 60.0
"""Beyond the grace, an end may be noted so much later: engines take a while to stop, and runners to look."""
PATIENCE_SECONDS = 120.0
"""For so long an engine may be silent before an attempt is given up; meanwhile nobody sees an end."""
CLOCK_SLACK_SECONDS = 2.0
EXCUSES = ("infrastructure_failure", "requeued")
"""Events that explain why an attempt was started once more."""
NO_STORY = "The event log is missing or broken, so nothing is known of the order of events."


def order_claims(case: Case) -> list[Claim]:
    """What the event log says of the order of things."""
    claims = Claims(Topic.ORDER)
    story = case.story
    if story is None or not story.tries:
        claims.add("order", "Output was sealed before it was graded.", Verdict.UNKNOWN, NO_STORY)
        return claims.made
    _sealed_before_graded(claims, case, story)
    _no_second_chance(claims, story)
    _snapshots(claims, case, story)
    _deadline(claims, case, story)
    _clock(claims, story)
    return claims.made


def _sealed_before_graded(claims: Claims, case: Case, story: Story) -> None:
    names = [event["event"] for event in story.last]
    steps = ("started", "ended", "collected", "sealed")
    grades = [place for place, name in enumerate(names) if name in ("graded", "snapshots_graded")]
    wrong = []
    for name in steps:
        count = names.count(name)
        # A runner that is killed between two steps does the second one once more.
        if not count or (name == "started" and count > 1):
            wrong.append(f"{name} stands {count} times in the log")
    places = [place for name in steps if (place := story.place(name)) is not None]
    if places != sorted(places):
        wrong.append("the steps stand in another order")
    if grades and names.count("sealed") and grades[0] < max(p for p, name in enumerate(names) if name == "sealed"):
        wrong.append("a grade stands before the last seal")
    if case.attempt.grade is not None and "graded" not in names:
        wrong.append("the log knows of no grade")
    seals = {event.get("submission_sha256") for event in story.named("sealed")}
    if len(seals) > 1:
        wrong.append("different submissions were sealed")
    if not wrong and case.attempt.grade is None:
        claims.add("order", "Output was sealed before it was graded.", Verdict.UNKNOWN, "There is no grade.")
        return
    count = names.count("graded")
    again = f" It was graded {count} times, always the same sealed file." if count > 1 else ""
    claims.add(
        "order",
        "Output was sealed before it was graded.",
        not wrong,
        f"{_sentence(wrong)}." if wrong else f"Started, ended, collected, sealed, then graded.{again}",
    )


def _no_second_chance(claims: Claims, story: Story) -> None:
    wrong, excuses = [], []
    for number, events in enumerate(story.tries[:-1], 1):
        names = [event["event"] for event in events]
        if any(name in ("graded", "snapshots_graded") for name in names):
            wrong.append(f"try {number} was graded, and then the attempt was started again")
        excuse = next((event for event in reversed(events) if event["event"] in EXCUSES), None)
        if excuse is None:
            # Killed in the middle of starting, the runner has no time to say so; nothing had run yet.
            if "started" in names:
                wrong.append(f"nothing says why try {number} was given up")
        else:
            excuses.append(str(excuse.get("why") or excuse.get("message") or "")[:200])
    if wrong:
        why = f"{_sentence(wrong)}."
    elif len(story.tries) == 1:
        why = "There was one try."
    else:
        why = f"{len(story.tries)} tries; none but the last was graded"
        why += f" (given up: {'; '.join(dict.fromkeys(filter(None, excuses)))})." if any(excuses) else "."
    claims.add("one_chance", "No try was thrown away after its result was known.", not wrong, why)


def _snapshots(claims: Claims, case: Case, story: Story) -> None:
    claim = "Snapshots were sealed when they were taken."
    taken = {event.get("number"): event for event in story.named("snapshot")}
    if not case.attempt.snapshots:
        claims.add("snapshots", claim, True, "There are none.")
        return
    ended = story.place("ended")
    wrong = []
    for snapshot in case.attempt.snapshots:
        event = taken.get(snapshot.number)
        if event is None:
            wrong.append(f"the log knows of no snapshot {snapshot.number}")
        elif (event.get("sha256"), event.get("at_seconds")) != (snapshot.sha256, snapshot.at_seconds):
            wrong.append(f"snapshot {snapshot.number} was sealed with another hash or time")
        elif ended is not None and story.last.index(event) > ended:
            wrong.append(f"snapshot {snapshot.number} was taken after the end")
    dropped = sum(event.get("number") is not None for event in story.named("snapshot_dropped"))
    kept = f"{len(case.attempt.snapshots)} of {len(taken)} are kept"
    thin = f" ({dropped} dropped to bound their number)" if dropped else ""
    why = f"{_sentence(wrong)}." if wrong else f"{kept}{thin}; hash and time of each stand in the log before the end."
    claims.add("snapshots", claim, not wrong, why)


def _deadline(claims: Claims, case: Case, story: Story) -> None:
    claim = "The agent kept to its time."
    attempt, run = case.attempt, case.run
    started, ended = story.named("started"), story.named("ended")
    begin, deadline = attempt.started_at, attempt.deadline_at
    if not started or not ended or begin is None or deadline is None:
        claims.add("deadline", claim, Verdict.UNKNOWN, "Its start or its end is not in the record.")
        return
    limit = format_duration(run.time_limit_seconds)
    wrong = []
    noted = _time(started[0].get("deadline_at"))
    if noted is None or abs((noted - deadline).total_seconds()) > CLOCK_SLACK_SECONDS:
        wrong.append("its deadline was changed after the start")
    if abs((deadline - begin).total_seconds() - run.time_limit_seconds) > CLOCK_SLACK_SECONDS:
        wrong.append(f"its deadline is not {limit} after its start")
    for overrun in story.named("overrun"):
        wrong.append(f"nobody watched when its time was over, and it could go on for {_seconds(overrun)} more")
    over = _time(ended[0].get("at"))
    late = (over - deadline).total_seconds() if over else 0.0
    unwatched = any(event.get("running") is False for event in story.named("adopted"))
    if late > run.grace_seconds + END_SLACK_SECONDS and not wrong:
        if unwatched or late <= run.grace_seconds + END_SLACK_SECONDS + PATIENCE_SECONDS:
            why = f"Its end was noted {format_duration(late)} after its deadline; when exactly it ended is not known."
            claims.add("deadline", claim, Verdict.UNKNOWN, why)
            return
        wrong.append(f"its end was noted {format_duration(late)} after its deadline")
    took = format_duration(max(0.0, (over - begin).total_seconds())) if over else "unknown"
    stopped = " and was stopped at its deadline" if attempt.end is End.OUT_OF_TIME else ""
    why = f"{_sentence(wrong)}." if wrong else f"It took {took} of {limit}{stopped}."
    claims.add("deadline", claim, not wrong, why)


def _clock(claims: Claims, story: Story) -> None:
    at = [_time(event.get("at")) for events in story.tries for event in events]
    known = [one for one in at if one is not None]
    back = min(((b - a).total_seconds() for a, b in pairwise(known)), default=0.0)
    wrong = len(known) < len(at) or back < -CLOCK_SLACK_SECONDS
    claims.add(
        "clock",
        "Its clock never ran backwards.",
        not wrong,
        "A line is earlier than the one before it, or has no time."
        if wrong
        else f"{plural(len(known), 'event')} stand in the order of their times.",
    )


def _seconds(event: dict[str, Any]) -> str:
    seconds = event.get("seconds")
    return format_duration(float(seconds)) if isinstance(seconds, int | float) else "an unknown time"


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts[:5]) + (f"; and {len(parts) - 5} more" if len(parts) > 5 else "")
    return text[:1].upper() + text[1:]
