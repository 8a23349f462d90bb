"""Agents that want to do harm, in real containers, through everything that `mlebench run` is made of.

One run of many attempts, each a group of attempts at harm (agent/harm/), under tight limits; a second one with an
allow-list. The tests look at what came of it.
"""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hostile_kit import Deed, Stage, lab_keys, leftovers, open_stage, site_paths

from mlebench.chain import read_events, verify_chain
from mlebench.grading.report import Outcome
from mlebench.running.records import End, State
from mlebench.sandbox.docker import DockerSandbox

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("hostile")]

GRACE = 2.0
CALLS = 30
EXPECTED = {
    # group: (how the agent's part ends, how the submission fares)
    "secrets": (End.FINISHED, Outcome.GRADED),
    "gateway": (End.OUT_OF_BUDGET, Outcome.GRADED),
    "kernel": (End.FINISHED, Outcome.GRADED),
    "memory": (End.OUT_OF_MEMORY, Outcome.GRADED),
    "outbox": (End.OUT_OF_DISK, Outcome.GRADED),
    "scratch": (End.OUT_OF_DISK, Outcome.GRADED),
    "inodes": (End.OUT_OF_DISK, Outcome.GRADED),
    "forks": (End.FINISHED, Outcome.GRADED),
    "forgery": (End.FINISHED, Outcome.GRADED),
    "odd:symlink": (End.FINISHED, Outcome.NO_SUBMISSION),
    "odd:fifo": (End.FINISHED, Outcome.NO_SUBMISSION),
    "odd:unix_socket": (End.FINISHED, Outcome.NO_SUBMISSION),
    "odd:folder": (End.FINISHED, Outcome.INVALID),
    "odd:abyss": (End.OUT_OF_DISK, Outcome.GRADED),
    "odd:sparse": (End.FINISHED, Outcome.NO_SUBMISSION),
    "odd:bomb": (End.FINISHED, Outcome.INVALID),
    "odd:wide": (End.FINISHED, Outcome.INVALID),
    "odd:swap": (End.FINISHED, Outcome.GRADED),
    "overtime": (End.OUT_OF_TIME, Outcome.GRADED),
    "egress": (End.FINISHED, Outcome.GRADED),
}
ALONE = ("overtime", "egress")
"""In runs of their own: with a short time, and with an allow-list."""
REPORTING = ("secrets", "kernel", "gateway", "scratch", "forks", "forgery", "egress")


@pytest.fixture(scope="module")
def stage(engine: DockerSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("hostile"), engine) as made:
        yield made


@pytest.fixture(scope="module")
def deeds(stage: Stage) -> dict[str, Deed]:
    """Three runs: most groups in one of them, the others beside it."""
    together = [group for group in EXPECTED if group not in ALONE]
    limits: dict[str, Any] = {
        "grace_seconds": GRACE,
        "cpus": 1.0,
        "memory_gb": 0.25,
        "pids": 64,
        "shm_gb": 0.03,
        "disk_gb": 0.1,
        "budget_calls": CALLS,
        "budget_grace_seconds": 10.0,
        "snapshot_seconds": 1.0,
    }

    def alone() -> dict[str, Deed]:
        late = stage.perform("late", ["overtime"], time_limit_seconds=20.0, **limits)
        network = f"allow=127.0.0.1:{stage.site_port}"
        return late | stage.perform("outward", ["egress"], time_limit_seconds=300.0, network=network, **limits)

    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(alone)
        done = stage.perform(
            "sealed",
            together,
            traitor=(together.index("kernel"), together.index("gateway")),
            time_limit_seconds=300.0,  # nobody's end here; a busy machine is no fault of an agent
            concurrency=3,
            **limits,
        )
        return done | others.result()


@pytest.mark.parametrize("group", EXPECTED)
def test_each_gets_the_right_end(deeds: dict[str, Deed], group: str) -> None:
    deed = deeds[group]
    attempt = deed.attempt
    assert attempt.state is State.DONE and attempt.tries == 1, (attempt.message, deed.report)
    assert attempt.grade is not None
    found = (attempt.end, attempt.grade.outcome)
    assert found == EXPECTED[group], (attempt.message, attempt.grade.message, _printed(deed))
    if attempt.grade.outcome is Outcome.GRADED and group not in ("overtime", "odd:swap"):
        assert attempt.grade.score == 0.5, "the honest submission, and nothing that was forged"


@pytest.mark.parametrize("group", REPORTING)
def test_it_got_nothing(deeds: dict[str, Deed], group: str) -> None:
    attempts = {name: one for name, one in deeds[group].report.items() if name != "notes"}
    assert attempts, _printed(deeds[group])
    assert {name: one["got"] for name, one in attempts.items() if one["got"]} == {}
    assert {name: one["error"] for name, one in attempts.items() if "error" in one} == {}


def test_it_did_try(deeds: dict[str, Deed]) -> None:
    tried = [name for deed in deeds.values() for name in deed.report if name != "notes"]
    tried += [group for group in EXPECTED if group not in REPORTING]
    assert len(tried) >= 55
    assert deeds["secrets"].notes["looked_at"] > 20 and deeds["secrets"].attempt.validations >= 10
    assert deeds["gateway"].notes["refused_calls"] == 10_000
    assert deeds["forks"].notes["forked"] < 64


def test_no_secret_leaves(stage: Stage, deeds: dict[str, Deed]) -> None:
    """No file of a run holds a secret, whatever the agent made of its outbox, and no container was shown one."""
    mark = stage.mark.encode()
    looked = 0
    for path, file in stage.contents():
        before = b""
        while piece := file.read(1 << 22):
            assert mark not in before + piece, path
            before = piece[-len(mark) :]
        looked += 1
    assert looked > 100
    assert lab_keys() == {f"Bearer sk-{stage.mark}"}, "the provider's key was used, by the gateway"
    seen = [text for witness in stage.witnesses for text in witness.inspected.values()]
    assert len(seen) == len(EXPECTED)
    for text in seen:
        assert stage.mark not in text and "HOSTILE_LAB_KEY" not in text


def test_no_key_of_an_attempt_is_kept(stage: Stage, deeds: dict[str, Deed]) -> None:
    for deed in deeds.values():
        assert deed.attempt.gateway_key is None
        text = (deed.folder.path / "attempt.json").read_text()
        assert "sk-mlebench" not in text


@pytest.mark.parametrize("group", EXPECTED)
def test_the_record_is_whole(deeds: dict[str, Deed], group: str) -> None:
    deed = deeds[group]
    assert verify_chain(deed.folder.events, deed.attempt.events_head).holds
    assert deed.folder.events.stat().st_size < 2_000_000
    assert deed.attempt.usage is not None and verify_chain(deed.folder.usage, deed.attempt.usage_head).holds
    assert deed.folder.usage.stat().st_size < 2_000_000
    events = [line["event"] for line in read_events(deed.folder.events)]
    assert events.count("sealed") == 1 and events.count("ended") == 1 and "infrastructure_failure" not in events


def test_what_was_left_is_ordinary(deeds: dict[str, Deed]) -> None:
    """Whatever they made: what is kept are plain files and folders of bounded number and size under plain names."""
    for deed in deeds.values():
        size = count = 0
        for path in deed.folder.path.rglob("*"):
            info = path.lstat()
            assert stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode), path
            assert not info.st_mode & (stat.S_ISUID | stat.S_ISGID), path
            assert path.name.isprintable(), path
            size += info.st_size if stat.S_ISREG(info.st_mode) else 0
            count += 1
        assert size < 320_000_000 and count <= 200_100, deed.group
    assert deeds["kernel"].folder.path.joinpath("code", "rootshell").is_file()
    skipped = _event(deeds["odd:folder"], "collected")
    assert skipped["skipped"] >= 1 and skipped["files"] >= 5
    assert "too long a path" in skipped["skipped_examples"][0]
    assert _event(deeds["odd:sparse"], "collected")["bytes"] < 1_000_000
    assert _event(deeds["inodes"], "collected")["files"] <= 200_000


def test_nobody_outlives_his_time(deeds: dict[str, Deed]) -> None:
    attempt = deeds["overtime"].attempt
    assert attempt.started_at and attempt.ended_at and attempt.deadline_at and attempt.exit_code == 137
    assert (attempt.ended_at - attempt.deadline_at).total_seconds() < GRACE + 15
    alive = float((deeds["overtime"].folder.path / "logs" / "alive").read_text())
    assert alive <= attempt.ended_at.timestamp() + 1, "a daemon wrote after the end"
    assert attempt.claim is not None and attempt.claim.end == "finished", "said so, believed not"
    assert time.time() > alive + 1


def test_printing_is_bounded(deeds: dict[str, Deed]) -> None:
    assert 1_000_000 < deeds["forgery"].folder.agent_log.stat().st_size <= 101_000_000


def test_forged_results_count_for_nothing(deeds: dict[str, Deed]) -> None:
    deed = deeds["forgery"]
    assert "Score: 1.0" in deed.notes["told_itself"]
    assert deed.attempt.validations == 0 and deed.attempt.claim is None
    assert deed.attempt.grade is not None and deed.attempt.grade.score == 0.5
    assert json.loads(deed.folder.grade.read_text())["score"] == 0.5


def test_two_predictions_get_one_answer(deeds: dict[str, Deed]) -> None:
    assert deeds["secrets"].notes["verdicts"] == 1
    assert deeds["secrets"].notes["sockets"] == ["gateway.sock", "validate.sock"]


def test_the_gateway_counted_right(deeds: dict[str, Deed]) -> None:
    deed = deeds["gateway"]
    usage = deed.attempt.usage
    assert usage is not None and usage.exhausted == "calls" and usage.calls == CALLS
    assert usage.refused > 10_000 and usage.usd == 0
    assert deed.notes["answered"] <= CALLS and deed.notes["refusals"] == [429]
    assert deed.notes["honest_call_meanwhile"] in (200, 429)
    text = deed.folder.usage.read_text()
    assert all(len(line) < 20_000 for line in text.splitlines())
    for other in deeds.values():
        if other.group != "gateway":
            assert other.attempt.usage is not None and other.attempt.usage.calls == 0, "its key was used by another"
            assert other.attempt.usage.refused == 0


def test_snapshots_hold_files_only(deeds: dict[str, Deed]) -> None:
    swap = deeds["odd:swap"]
    assert swap.attempt.grade is not None and swap.attempt.grade.score == 0.5
    for deed in deeds.values():
        for snapshot in deed.attempt.snapshots:
            assert snapshot.grade is not None and snapshot.bytes < 100_000_000
    assert all(snapshot.bytes < 100 for snapshot in swap.attempt.snapshots)


def test_allowed_and_nothing_else(stage: Stage, deeds: dict[str, Deed]) -> None:
    outward = deeds["egress"]
    assert outward.notes["allowed"] and outward.notes["allowed_afterwards"]
    assert outward.notes["proxies"] == ["http://localhost:5002"] * 2
    assert set(site_paths()) <= {"/through", "/one", "/four", "/five", "/after"} | {"/"}
    log = outward.folder.path / "egress.jsonl"
    assert verify_chain(log).holds and log.stat().st_size < 3_000_000
    requests = [line for line in read_events(log) if line["event"] == "request"]
    reached = {(line["address"], line["port"]) for line in requests if line["allowed"]}
    assert reached == {("127.0.0.1", stage.site_port)}
    assert sum(not line["allowed"] for line in requests) > 500
    assert _event(outward, "egress")["refused"] > 500


def test_the_machine_is_clean_afterwards(engine: DockerSandbox, stage: Stage, deeds: dict[str, Deed]) -> None:
    ids = [json.loads((stage.runs / name / "bundle.json").read_text()) for name in ()]
    assert ids == []
    for deed in deeds.values():
        assert deed.attempt.handle is not None
        assert not engine.alive(deed.attempt.handle)
        assert engine._client.api.containers(all=True, filters={"id": deed.attempt.handle}) == []
    deadline = time.monotonic() + 20
    while leftovers(stage.root) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert leftovers(stage.root) == []


def _event(deed: Deed, name: str) -> dict:
    return next(line for line in read_events(deed.folder.events) if line["event"] == name)


def _printed(deed: Deed) -> str:
    path: Path = deed.folder.agent_log
    return path.read_bytes()[-2000:].decode("utf-8", "replace") if path.exists() else "nothing"
