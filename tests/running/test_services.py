"""Models, budgets and shares around an attempt, with a gateway and leases that only pretend."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running_kit import FakeGateway, FakeLeases, FakeSandbox, Notes, Play, World, resume_run, start_run

from mlebench.errors import UsageError
from mlebench.gateway.api import Replay, Usage
from mlebench.hardware.api import Share
from mlebench.running import attempt as attempt_module
from mlebench.running import retries
from mlebench.running.events import read_events
from mlebench.running.folders import AttemptFolder
from mlebench.running.plan import open_plan
from mlebench.running.records import Attempt, End, State
from mlebench.running.store import RunStore
from mlebench.sandbox.base import Exit, SandboxSpec

USED = Usage(calls=3, tokens_in=30, tokens_out=12, usd=0.5, head="f" * 64)
USED_UP = USED.model_copy(update={"refused": 1, "exhausted": "calls"})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(retries, "SHARE_SECONDS", 0.2)


@pytest.fixture
def modelled(world: World) -> World:
    world.uses_model()
    return world


def test_an_agent_is_given_its_model_and_its_usage_is_kept(modelled: World) -> None:
    gateway, sandbox = FakeGateway(), FakeSandbox()
    gateway.totals["toy-s0"] = USED
    budgets = {"budget_usd": 2.5, "budget_calls": 10, "step_limit": 7, "options": {"way": "short"}}
    roles = {"role_models": {"feedback": "scripted/other"}, "models_allowed": ["scripted/demo"]}
    (modelled.agent / "scripted" / "other.json").write_text('{"rules": [{"reply": {"text": "x"}}]}')
    (attempt,) = start_run(modelled, sandbox, gateway=gateway, model="scripted/demo", **budgets, **roles)
    (ticket,), (spec,) = gateway.tickets, sandbox.specs
    assert ticket.models == ("scripted/demo", "scripted/other") and ticket.budget.usd == 2.5
    assert ticket.log == AttemptFolder(modelled.runs / "run" / "toy-s0").usage and ticket.replay is Replay.OFF
    given = spec.environment
    assert (given["MODEL"], given["MODEL_FEEDBACK"]) == ("scripted/demo", "scripted/other")
    assert given["OPENAI_BASE_URL"] == "http://127.0.0.1:40001/v1" and given["OPENAI_API_KEY"] == ticket.key
    assert (given["STEP_LIMIT"], given["COST_LIMIT_USD"], given["CALL_LIMIT"], given["TOKEN_LIMIT"]) == (
        *("7", "2.5", "10", ""),
    )
    assert given["OPTION_WAY"] == "short" and "CPU" in given["HARDWARE"]
    assert (attempt.end, attempt.usage, attempt.usage_head) == (End.FINISHED, USED, "f" * 64)
    assert (gateway.started, gateway.stopped, gateway.open) == (1, 1, set())
    assert attempt.gateway_key is None
    for path in (modelled.runs / "run").rglob("*"):
        assert not path.is_file() or ticket.key.encode() not in path.read_bytes(), path


def test_a_used_up_budget_ends_the_attempt_after_its_grace(modelled: World) -> None:
    gateway, sandbox = FakeGateway(), FakeSandbox(lambda spec, number: Play(seconds=60))
    gateway.totals["toy-s0"] = USED_UP
    (attempt,) = start_run(
        modelled, sandbox, gateway=gateway, model="scripted/demo", budget_calls=3, budget_grace_seconds=0.3
    )
    assert (attempt.end, attempt.state) == (End.OUT_OF_BUDGET, State.DONE)
    assert attempt.grade is not None and attempt.grade.score == 1.0
    notices = AttemptFolder(modelled.runs / "run" / "toy-s0").notices.read_text()
    assert "used up" in notices and sandbox.stopped[0][1] == 1.0
    events = [line["event"] for line in read_events(modelled.runs / "run" / "toy-s0" / "events.jsonl")]
    assert events.index("budget_exhausted") < events.index("stopping") < events.index("usage")


def test_an_agent_that_ends_by_itself_within_the_grace_is_out_of_budget_too(modelled: World) -> None:
    gateway = FakeGateway()
    gateway.totals["toy-s0"] = USED_UP
    (attempt,) = start_run(modelled, FakeSandbox(), gateway=gateway, model="scripted/demo", budget_calls=3)
    assert (attempt.end, attempt.exit_code) == (End.OUT_OF_BUDGET, 0) and attempt.exhausted_at is not None


def test_a_gateway_that_stays_down_costs_a_try(modelled: World) -> None:
    gateway = FakeGateway()
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=60 if number == 1 else 0))

    def fail(attempt: Attempt, note: str) -> None:
        if note == "started" and attempt.tries == 1:
            gateway.refuses = "Down."
        elif note.startswith("infrastructure"):
            gateway.refuses = None

    (attempt,) = start_run(modelled, sandbox, Notes(fail), gateway=gateway, model="scripted/demo", patience_seconds=0.2)
    assert (attempt.end, attempt.tries) == (End.FINISHED, 2)


def test_a_gateway_that_cannot_be_had_is_a_fault_of_ours(modelled: World) -> None:
    gateway = FakeGateway()
    gateway.refuses = "The gateway is on fire."
    (attempt,) = start_run(modelled, FakeSandbox(), gateway=gateway, model="scripted/demo")
    assert (attempt.end, attempt.tries) == (End.INFRASTRUCTURE, 3) and "on fire" in (attempt.message or "")


def test_a_gateway_that_is_down_for_a_moment_costs_nothing(modelled: World) -> None:
    gateway = FakeGateway()
    sandbox = FakeSandbox(lambda spec, number: Play(seconds=0.6))

    def fail(attempt: Attempt, note: str) -> None:
        if note == "started":
            gateway.refuses = "Down."
            threading.Timer(0.2, lambda: setattr(gateway, "refuses", None)).start()

    (kept,) = start_run(modelled, sandbox, Notes(fail), gateway=gateway, model="scripted/demo")
    assert (kept.end, kept.tries) == (End.FINISHED, 1)
    events = [line["event"] for line in read_events(modelled.runs / "run" / "toy-s0" / "events.jsonl")]
    assert "model_door_down" in events


def left_running(world: World, sandbox: FakeSandbox, **fields: object) -> Attempt:
    """A run whose runner was killed while its only attempt ran."""
    config = world.config(model="scripted/demo")
    plan = open_plan(config, sandbox)
    with RunStore.create(world.runs / "run", config, plan.attempts) as store:
        folder = AttemptFolder(store.folder / "toy-s0")
        folder.path.mkdir()
        name = f"mlebench-{store.id[:12]}-toy-s0"
        handle = sandbox.start(
            SandboxSpec(name, None, (), world.agent, world.toy.public, folder.outbox, folder.control)
        )
        now = datetime.now(UTC)
        facts = {"tries": 1, "handle": handle, "started_at": now, "deadline_at": now + timedelta(seconds=60)}
        doors = {"gateway_key": "sk-mlebench-old", "gateway_port": 41234}
        return store.move("toy-s0", State.QUEUED, State.RUNNING, "started", **{**facts, **doors, **fields})


def test_a_resumed_attempt_finds_its_door_at_the_same_place(modelled: World) -> None:
    gateway, sandbox = FakeGateway(), FakeSandbox(lambda spec, number: Play(seconds=0.4))
    gateway.totals["toy-s0"] = USED
    left_running(modelled, sandbox)
    (attempt,) = resume_run(modelled, sandbox, gateway=gateway)
    (ticket,) = gateway.tickets
    assert (ticket.key, ticket.port) == ("sk-mlebench-old", 41234)
    assert (attempt.end, attempt.tries, attempt.usage) == (End.FINISHED, 1, USED)
    assert attempt.gateway_port == 41234 and attempt.gateway_key is None


@pytest.mark.parametrize(
    ("exit_code", "claim", "tries"),
    [(0, None, 1), (1, None, 2), (0, "finished", 1), (0, "model_failure", 2), (137, None, 2)],
)
def test_an_agent_that_failed_while_nobody_served_its_model_is_run_again(
    modelled: World, exit_code: int, claim: str | None, tries: int
) -> None:
    sandbox = FakeSandbox(lambda spec, number: Play(exit=Exit(exit_code if number == 1 else 0)))
    left_running(modelled, sandbox)
    if claim is not None:
        logs = AttemptFolder(modelled.runs / "run" / "toy-s0").outbox / "logs"
        (logs / "outcome.json").write_text(json.dumps({"end": claim}))
    (attempt,) = resume_run(modelled, sandbox, gateway=FakeGateway())
    assert (attempt.end, attempt.tries) == (End.FINISHED, tries)


def test_the_grace_of_a_used_up_budget_goes_on_over_a_restart(modelled: World) -> None:
    gateway, sandbox = FakeGateway(), FakeSandbox(lambda spec, number: Play(seconds=60))
    gateway.totals["toy-s0"] = USED_UP
    left_running(modelled, sandbox, exhausted_at=datetime.now(UTC) - timedelta(hours=1))
    began = time.monotonic()
    (attempt,) = resume_run(modelled, sandbox, gateway=gateway)
    assert attempt.end is End.OUT_OF_BUDGET and time.monotonic() - began < 20


def test_attempts_wait_for_a_share_and_others_go_on(world: World) -> None:
    leases, sandbox = FakeLeases(2), FakeSandbox(lambda spec, number: Play(seconds=0.3))
    attempts = start_run(world, sandbox, leases=leases, seeds=list(range(6)), concurrency=6, gpus_per_attempt=0)
    assert all(one.end is End.FINISHED and one.tries == 1 for one in attempts)
    assert sandbox.most_at_once == 2 and leases.asked < 40
    assert {one.share.gpus[0] for one in attempts if one.share} == {"GPU-0", "GPU-1"}
    assert {spec.resources.gpus for spec in sandbox.specs} == {("GPU-0",), ("GPU-1",)}
    assert leases.held == {} and len(leases.free) == 2


def test_a_share_is_given_back_whatever_happened(world: World) -> None:
    leases = FakeLeases(1)
    (attempt,) = start_run(world, FakeSandbox(lambda spec, number: Play(refuse="No engine.")), leases=leases)
    assert attempt.end is End.INFRASTRUCTURE and leases.held == {} and len(leases.free) == 1


def test_a_share_is_adopted_with_its_attempt(modelled: World) -> None:
    leases, sandbox = FakeLeases(0), FakeSandbox(lambda spec, number: Play(seconds=0.3))
    left = left_running(modelled, sandbox, share=Share(gpus=["GPU-7"]))
    (attempt,) = resume_run(modelled, sandbox, gateway=FakeGateway(), leases=leases)
    assert leases.adopted == [((left.handle or "").split("#")[0], Share(gpus=["GPU-7"]))]
    assert attempt.share == Share(gpus=["GPU-7"]) and leases.free == ["GPU-7"]


def test_snapshots_are_graded_after_the_end_and_the_last_one_shares_the_grade(world: World) -> None:
    def play(spec: SandboxSpec, number: int) -> Play:
        def improve() -> None:
            time.sleep(0.4)
            (spec.outbox / "submission" / "submission.csv").write_text("id,y\n1,1\n2,0\n3,1\n")

        threading.Thread(target=improve, daemon=True).start()
        return Play(submission="id,y\n1,0\n2,1\n3,0\n", seconds=1.5)

    (attempt,) = start_run(world, FakeSandbox(play))
    scores = [one.grade.score for one in attempt.snapshots if one.grade]
    assert scores == [0.0, 1.0] and attempt.snapshots[0].at_seconds < attempt.snapshots[1].at_seconds
    events = [line["event"] for line in read_events(world.runs / "run" / "toy-s0" / "events.jsonl")]
    assert events.count("snapshot") == 2 and events.index("graded") < events.index("snapshots_graded")
    kept = json.loads((world.runs / "run" / "toy-s0" / "attempt.json").read_text())["snapshots"]
    assert [one["sha256"] for one in kept][-1] == attempt.submission_sha256


def test_a_snapshot_that_was_changed_is_not_graded(world: World) -> None:
    (attempt,) = start_run(world, FakeSandbox(lambda spec, number: Play(seconds=0.5)))
    folder = AttemptFolder(world.runs / "run" / "toy-s0")
    (snapshot,) = attempt.snapshots
    (folder.path / snapshot.file).write_bytes(b"nonsense")
    folder.submission.write_text("id,y\n1,0\n2,1\n3,0\n")
    folder.grade.unlink()
    with RunStore(world.runs / "run") as store:
        store.move("toy-s0", State.DONE, State.ENDED, grade=None, submission_sha256=None)
    (again,) = resume_run(world, FakeSandbox())
    assert again.snapshots[0].grade is not None and "somebody changed it" in (again.snapshots[0].grade.message or "")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "needs a model"),
        ({"model": "scripted/nope"}, "no script 'nope'"),
        ({"model": "nobody/x"}, "no provider 'nobody'"),
        ({"model": "demo"}, "provider/name"),
        ({"model": "scripted/demo", "role_models": {"boss": "scripted/demo"}}, "no role 'boss'; it has feedback"),
        ({"model": "scripted/demo", "options": {"colour": "red"}}, "no option 'colour'; it has way"),
        ({"model": "scripted/demo", "replay": Replay.REPLAY, "replay_dir": "/nowhere"}, "no recorded answers"),
    ],
)
def test_models_that_do_not_fit_are_found_before_the_start(
    modelled: World, facts: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        open_plan(modelled.config(**facts), FakeSandbox())


def test_an_agent_without_a_model_is_given_none(world: World, tmp_path: Path) -> None:
    for facts in ({"model": "scripted/demo"}, {"budget_usd": 1.0}, {"replay_dir": str(tmp_path)}):
        with pytest.raises(UsageError, match="uses no model; leave out --"):
            open_plan(world.config(**facts), FakeSandbox())
