"""An agent that wants the answers and is told where they lie: it must not get a byte of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from toys import CANARY, Attempt, Toy

from mlebench.sandbox.collect import collect_outbox
from mlebench.sandbox.docker import DockerSandbox
from mlebench.validation.launcher import ValidationService

_SCRIPT = Path(__file__).with_name("hostile_agent.py").read_text()


@pytest.mark.docker
def test_it_gets_nothing(
    engine: DockerSandbox, in_container: Callable[..., Attempt], toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)  # a provider's key in the runner's own environment
    neighbour = toy.root / "runs" / "neighbour" / "outbox" / "submission"
    neighbour.mkdir(parents=True)
    (neighbour / "submission.csv").write_text(CANARY)
    half = len(CANARY) // 2
    attempt = in_container(
        _SCRIPT,
        environment={
            "WANTED_1": CANARY[:half],
            "WANTED_2": CANARY[half:],
            "ANSWERS": str(toy.private / "test.csv"),
            "NEIGHBOUR": str(neighbour / "submission.csv"),
        },
    )
    calls = attempt.home / "calls.jsonl"
    with ValidationService(toy.competition, toy.sample, calls, socket=attempt.socket, answers=toy.private) as service:
        assert service.protection != "none"
        ended = attempt.run(engine, 120)
        noted = service.entries()
    printed = attempt.printed(engine)
    assert ended.code == 0, printed
    report = json.loads((attempt.outbox / "logs" / "report.json").read_text())
    assert report["looked_at"] > 20 and report["asked"] >= 10  # it did try
    assert report["found"] == []
    assert report["network"] == []
    assert any(entry["valid"] for entry in noted), "its honest submission passes"
    collected = attempt.home / "collected"
    left = collect_outbox(attempt.outbox, collected, 10**8, 10_000)
    assert {"submission/submission.csv", "code/answers", "logs/pipe"} <= {item.path for item in left.skipped}
    for path in [*collected.rglob("*"), calls]:
        assert not path.is_symlink()
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
    assert CANARY not in printed
