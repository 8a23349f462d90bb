"""A made attempt of a container, with models, a network, snapshots and validations, sealed as the runner seals."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from running_kit import PERFECT, FakeSandbox, World

from mlebench.bundle.environment import (
    AgentOrigin,
    DataOrigin,
    EngineFacts,
    Environment,
    HardwareFacts,
    ImageFacts,
    Limits,
    ModelFacts,
)
from mlebench.bundle.hashes import file_sha256
from mlebench.bundle.seal import seal
from mlebench.bundle.verify import Verification, verify_bundle
from mlebench.bundle.whole import Expected
from mlebench.chain import EventLog
from mlebench.data.paths import DataDir
from mlebench.gateway.api import Spent, Usage
from mlebench.grading.grade import grade_submission
from mlebench.grading.report import GradeReport
from mlebench.hardware.api import Share
from mlebench.registry import Registry
from mlebench.running.files import write_json
from mlebench.running.folders import AttemptFolder
from mlebench.running.records import Attempt, End, RunConfig, Snapshot, State

WEAK = "id,y\n1,1\n2,1\n3,1\n"
MODEL = "scripted/demo"
HOST = "example.org"
CALL = {
    "model": MODEL,
    "outcome": "ok",
    "seconds": 0.5,
    "replayed": False,
    "retries": 0,
    "metered": True,
    "tokens_out": 10,
    "tokens_cached": 0,
    "tokens_reasoning": 0,
}


class FakeProcess(FakeSandbox):
    """The pretending sandbox under the name of the one that does not isolate."""

    name = "process"


@dataclass
class Made:
    """The folder of a made attempt, and what it was made from."""

    world: World
    folder: Path
    config: RunConfig
    attempt: Attempt
    digest: str = ""
    egress_head: str = ""
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def seal(self) -> str:
        """Write the record and seal, as the runner does, and as a forger can."""
        AttemptFolder(self.folder).write_record(self.attempt)
        self.digest = seal(self.folder, self.attempt, self.config, run_id="r1")
        return self.digest

    def log(self) -> None:
        """Write events.jsonl anew from `events`, its chain unbroken."""
        path = self.folder / "events.jsonl"
        path.unlink(missing_ok=True)
        with EventLog(path) as log:
            for name, facts in self.events:
                log.append(name, **facts)
        self.attempt = self.attempt.model_copy(update={"events_head": log.head})

    def reach(self, host: str, address: str, port: int = 443) -> None:
        """Write egress.jsonl anew: this was let through, something else was refused."""
        path = self.folder / "egress.jsonl"
        path.unlink(missing_ok=True)
        with EventLog(path) as log:
            log.append("egress_started", hosts=[HOST])
            log.append("opened", id=1, method="CONNECT", host=host, port=port, address=address)
            log.append("request", id=1, host=host, port=port, allowed=True, up=1, down=2, seconds=0.1)
            log.append("request", id=2, host="elsewhere.test", port=443, allowed=False, reason="not_allowed")
            log.append("egress_stopped")
        self.egress_head = log.head

    def place(self, name: str) -> int:
        """Where an event of this name first stands."""
        return next(number for number, (event, _) in enumerate(self.events) if event == name)

    def change(self, **fields: Any) -> None:
        """Change the record."""
        self.attempt = self.attempt.model_copy(update=fields)

    def verify(self, *, answers: bool = False, path: Path | None = None, expected: str | None = None) -> Verification:
        """Verify it, without the answers unless asked."""
        told = Expected(expected, "the test") if expected is not None else None
        registry = Registry([self.world.root / "competitions"])
        data = DataDir(self.world.root / "data") if answers else None
        return verify_bundle(path or self.folder, registry, data, expected=told)

    def grade(self, text: str) -> GradeReport:
        """The grade of a submission."""
        path = self.world.root / "graded.csv"
        path.write_text(text)
        paths = DataDir(self.world.root / "data").paths("toy")
        return grade_submission(self.world.toy.competition, path, paths)


def verdicts(result: Verification) -> dict[str, str]:
    """Key of each claim -> its verdict."""
    return {claim.key: claim.verdict.value for claim in result.claims}


def failing(result: Verification) -> set[str]:
    """Keys of the claims that fail."""
    return {key for key, verdict in verdicts(result).items() if verdict == "fails"}


def make_bundle(world: World, **options: Any) -> Made:
    """A sealed attempt of which every claim holds that can."""
    folder = world.runs / "made" / "toy-s0"
    for name in ("submission", "code", "logs", "snapshots"):
        (folder / name).mkdir(parents=True)
    facts = {
        "sandbox": "docker",
        "network": f"allow={HOST}",
        "model": MODEL,
        "budget_usd": 1.0,
        "gpus_per_attempt": 1,
        "name": "made",
    }
    config = world.config(**{**facts, **options})
    begin = datetime.now(UTC)
    attempt = Attempt(
        id="toy-s0",
        competition="toy",
        seed=0,
        state=State.DONE,
        end=End.FINISHED,
        exit_code=0,
        tries=1,
        created_at=begin,
        started_at=begin,
        deadline_at=begin + timedelta(seconds=config.time_limit_seconds),
        ended_at=begin + timedelta(seconds=5),
        validations=2,
        image_id="sha256:" + "1" * 64,
        share=Share(gpus=["GPU-1"], cpus=2.0, memory_gb=4.0),
    )
    made = Made(world, folder, config, attempt)
    (folder / "submission" / "submission.csv").write_text(PERFECT)
    (folder / "code" / "solution.py").write_text("print('solved')\n")
    (folder / "logs" / "journal.json").write_text("{}")
    (folder / "agent.log").write_text("hello\n")
    sealed = hashlib.sha256(PERFECT.encode()).hexdigest()
    made.change(submission_sha256=sealed, grade=made.grade(PERFECT), snapshots=_snapshots(made))
    _validations(made)
    _usage(made)
    _egress(made)
    _environment(made)
    _events(made, sealed)
    assert made.attempt.grade is not None
    write_json(folder / "grade.json", made.attempt.grade.to_json())
    made.seal()
    return made


def _snapshots(made: Made) -> list[Snapshot]:
    snapshots = []
    for number, (at, text) in enumerate(((1.0, WEAK), (3.0, PERFECT)), 1):
        content = text.encode()
        (made.folder / f"snapshots/{number}.csv.gz").write_bytes(gzip.compress(content, mtime=0))
        digest = hashlib.sha256(content).hexdigest()
        snapshots.append(
            Snapshot(number=number, at_seconds=at, sha256=digest, bytes=len(content), grade=made.grade(text))
        )
    return snapshots


def _validations(made: Made) -> None:
    lines = [{"time": "t", "valid": True, "reason": None, "sha256": "0" * 64, "bytes": 3}] * made.attempt.validations
    (made.folder / "validations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _usage(made: Made) -> None:
    with EventLog(made.folder / "usage.jsonl") as log:
        for number in (1, 2, 3):
            log.append("call", **CALL, tokens_in=100 * number, usd=0.001 * number)
        log.append("refused", reason="model_not_allowed")
    facts = {"calls": 3, "refused": 1, "tokens_in": 600, "tokens_out": 30, "usd": 0.006, "seconds": 1.5}
    spent = {MODEL: Spent(tokens_in=600, tokens_out=30, usd=0.006)}
    total = Usage(**facts, models={MODEL: 3}, spent=spent, prices="test", head=log.head)
    made.change(usage=total, usage_head=log.head)


def _egress(made: Made) -> None:
    made.reach(HOST, "93.184.215.14")


def _environment(made: Made) -> None:
    config = made.config
    Environment(
        attempt=made.attempt.id,
        run="r1",
        run_name=config.name,
        seed=0,
        agent=AgentOrigin(name="myagent", sha256="2" * 64),
        data=DataOrigin(competition="toy", manifest_sha256="3" * 64, source="folder"),
        image=ImageFacts(reference="mlebench-agent", id=made.attempt.image_id),
        engine=EngineFacts(sandbox=config.sandbox, isolates=True, runtime="runc"),
        hardware=HardwareFacts(),
        limits=Limits(time_limit_seconds=config.time_limit_seconds, usd=config.budget_usd),
        models=ModelFacts(model=config.model),
        network=config.network,
    ).write(made.folder)


def _events(made: Made, sealed: str) -> None:
    attempt = made.attempt
    assert attempt.deadline_at is not None and attempt.grade is not None and attempt.usage is not None
    made.events = [
        ("try", {"number": 1, "sandbox": made.config.sandbox, "network": made.config.network}),
        ("validation_endpoint", {"protection": "landlock+uid"}),
        ("environment", {"sha256": file_sha256(made.folder / "environment.json")[1]}),
        ("started", {"image": "mlebench-agent", "deadline_at": attempt.deadline_at.isoformat()}),
        ("validation", {"valid": True}),
        ("validation", {"valid": True}),
        *(("snapshot", one.model_dump(exclude={"grade"})) for one in attempt.snapshots),
        ("ended", {"end": "finished", "exit_code": 0}),
        ("usage", attempt.usage.model_dump(mode="json")),
        ("egress", {"head": made.egress_head}),
        ("collected", {"files": 3, "bytes": 100}),
        ("sealed", {"submission_sha256": sealed}),
        ("graded", {"outcome": "graded", "score": attempt.grade.score, "reason": None}),
        ("snapshots_graded", {"grades": [_told(one) for one in attempt.snapshots]}),
    ]
    made.log()


def _told(snapshot: Snapshot) -> dict[str, Any]:
    assert snapshot.grade is not None
    return {"number": snapshot.number, "outcome": snapshot.grade.outcome.value, "score": snapshot.grade.score}
