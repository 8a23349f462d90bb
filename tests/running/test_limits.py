"""Notices, clock, budget and disk: what an agent is told, and what ends it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlebench.errors import SandboxError
from mlebench.gateway.api import Usage
from mlebench.running.events import EventLog, events_of_try
from mlebench.running.limits import BudgetWatch, Clock
from mlebench.running.notices import Notices
from mlebench.running.outputs import DiskWatch
from mlebench.running.records import End, RunConfig


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events.jsonl")


@pytest.fixture
def notices(tmp_path: Path, log: EventLog) -> Notices:
    found = Notices(tmp_path / "control" / "notices.txt", log, [])
    found.open()
    return found


def text(tmp_path: Path) -> list[str]:
    lines = (tmp_path / "control" / "notices.txt").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines]


def config(**facts: object) -> RunConfig:
    given = {"name": "r", "agent": "a", "sandbox": "s", "competitions": [], "seeds": [], "data_dir": "d"}
    return RunConfig.model_validate({**given, "time_limit_seconds": 1000.0, **facts})


def test_a_notice_is_told_once_also_by_the_next_runner(tmp_path: Path, log: EventLog, notices: Notices) -> None:
    assert text(tmp_path) == []
    path = tmp_path / "control" / "notices.txt"
    assert path.stat().st_mode & 0o777 == 0o644
    notices.tell("a", "First.")
    notices.tell("a", "First again.")
    log.close()
    with EventLog(tmp_path / "events.jsonl") as later:
        again = Notices(path, later, events_of_try(tmp_path / "events.jsonl"))
        again.open()
        again.tell("a", "Once more.")
        again.tell("b", "Second.")
    assert text(tmp_path) == ["First.", "Second."]
    assert [entry.name for entry in path.parent.iterdir()] == ["notices.txt"]


def test_warnings_come_at_their_parts_and_missed_ones_only_once(tmp_path: Path, notices: Notices) -> None:
    now = datetime.now(UTC)
    told = config(warn_at=[0.25, 0.5, 0.9])
    early = Clock(told, now - timedelta(seconds=100), now + timedelta(seconds=900), notices)
    early.warn()
    assert text(tmp_path) == [] and 140 < early.seconds_to_next() <= 150
    late = Clock(told, now - timedelta(seconds=600), now + timedelta(seconds=400), notices)
    late.warn()
    late.warn()
    assert text(tmp_path) == ["Time: 6 min 40 s of 16 min 40 s are left."]
    assert late.breach() is None and 290 < late.seconds_to_next() <= 300
    over = Clock(told, now - timedelta(seconds=2000), now - timedelta(seconds=1), notices)
    over.warn()
    assert len(text(tmp_path)) == 1
    breach = over.breach()
    assert breach is not None and (breach.end, breach.grace_seconds) == (End.OUT_OF_TIME, 30.0)


def test_a_budget_is_warned_of_and_ends_after_its_grace(tmp_path: Path, notices: Notices) -> None:
    watch = BudgetWatch(config(budget_calls=10, budget_usd=2.0, budget_grace_seconds=0.2), notices, None)
    assert not watch.look(Usage(calls=4, usd=None))
    assert text(tmp_path) == []
    assert not watch.look(Usage(calls=5, usd=1.85))
    assert text(tmp_path) == ["Budget: 1.85 of 2 dollars are used.", "Budget: 5 of 10 model calls are used."]
    used_up = Usage(calls=10, usd=1.85, refused=1, exhausted="calls")
    assert watch.look(used_up) and not watch.look(used_up)
    assert "model calls of this attempt are used up" in text(tmp_path)[-1]
    assert watch.breach() is None
    time.sleep(0.25)
    breach = watch.breach()
    assert breach is not None and breach.end is End.OUT_OF_BUDGET
    resumed = BudgetWatch(config(budget_grace_seconds=3600), notices, watch.exhausted_at)
    assert resumed.breach() is None and not resumed.look(used_up)


def test_the_disk_counts_outputs_and_what_lies_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlebench.running.outputs._ELSEWHERE_SECONDS", 0.0)
    monkeypatch.setattr("mlebench.running.outputs._WATCH_SECONDS", 0.0)
    elsewhere = [0]

    def look() -> int:
        if elsewhere[0] < 0:
            raise SandboxError("away")
        return elsewhere[0]

    watch = DiskWatch(tmp_path / "outbox", 1.0, look)
    assert not watch.full()
    elsewhere[0] = 2 * 1024**3
    time.sleep(0.05)
    assert watch.full()
    elsewhere[0] = -1
    time.sleep(0.05)
    assert watch.full()  # an engine that is away for a moment changes nothing
