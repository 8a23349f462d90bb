"""What an agent says of its own end: read without trust, and believed only where it gains nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.running.claim import MAX_BYTES, end_of, read_claim, refined_end, unusual
from mlebench.running.records import AgentClaim, End
from mlebench.sandbox.base import Exit


def claim(end: str) -> AgentClaim:
    return AgentClaim.model_validate({"end": end})


def test_a_claim_is_read(tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_text(json.dumps({"end": "out_of_steps", "steps": 12, "more": 1}))
    found = read_claim(tmp_path)
    assert found is not None and (found.end, found.steps, found.message) == ("out_of_steps", 12, None)
    (tmp_path / "outcome.json").write_text(json.dumps({"end": "model_failure", "message": "x" * 9999}))
    assert len((read_claim(tmp_path) or AgentClaim(end="finished")).message or "") == 500


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "12", '{"end": "won"}', '{"end": 1}', '{"end": "finished", "message": {}}', "NaN"),
        *('{"end": "finished", "steps": "many"}', "[" * 50_000, '{"end": "finished"' + " " * MAX_BYTES + "}"),
    ],
)
def test_what_is_no_claim_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "outcome.json").write_text(text)
    assert read_claim(tmp_path) is None


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "outcome.json").write_bytes(content)
    read_claim(folder)


def test_a_claim_that_is_no_file_is_none(tmp_path: Path) -> None:
    assert read_claim(tmp_path) is None
    real = tmp_path / "real.json"
    real.write_text('{"end": "finished"}')
    (tmp_path / "outcome.json").symlink_to(real)
    assert read_claim(tmp_path) is None
    (tmp_path / "outcome.json").unlink()
    os.mkfifo(tmp_path / "outcome.json")
    assert read_claim(tmp_path) is None


@pytest.mark.parametrize(
    ("seen", "said", "refused", "left", "expected"),
    [
        (End.FINISHED, None, False, 900, End.FINISHED),
        (End.FINISHED, "finished", False, 900, End.FINISHED),
        (End.FINISHED, "out_of_steps", False, 900, End.OUT_OF_STEPS),
        (End.FINISHED, "model_failure", False, 900, End.MODEL_FAILURE),
        (End.CRASHED, "model_failure", False, 900, End.MODEL_FAILURE),
        (End.CRASHED, "finished", False, 900, End.CRASHED),
        (End.CRASHED, "out_of_steps", False, 900, End.CRASHED),
        (End.FINISHED, "crashed", False, 900, End.CRASHED),
        (End.FINISHED, "out_of_time", False, 90, End.OUT_OF_TIME),
        (End.FINISHED, "out_of_time", False, 900, End.FINISHED),
        (End.FINISHED, "finished", True, 900, End.OUT_OF_BUDGET),
        (End.CRASHED, None, True, 900, End.OUT_OF_BUDGET),
        (End.OUT_OF_TIME, "finished", True, 0, End.OUT_OF_TIME),
        (End.OUT_OF_MEMORY, "model_failure", False, 900, End.OUT_OF_MEMORY),
        (End.OUT_OF_DISK, "out_of_steps", False, 900, End.OUT_OF_DISK),
    ],
)
def test_ends_are_told_apart(seen: End, said: str | None, refused: bool, left: float, expected: End) -> None:
    found = refined_end(seen, claim(said) if said else None, refused=refused, left_seconds=left, limit=1000)
    assert found is expected


def test_ends_as_the_sandbox_tells_them_and_their_sentences() -> None:
    assert [end_of(Exit(0)), end_of(Exit(1)), end_of(Exit(137, out_of_memory=True))] == [
        *(End.FINISHED, End.CRASHED, End.OUT_OF_MEMORY)
    ]
    assert unusual(End.FINISHED, 0, None) is None
    assert "exit code 3" in (unusual(End.CRASHED, 3, None) or "")
    assert "says that it failed" in (unusual(End.CRASHED, 0, claim("crashed")) or "")
    said = AgentClaim(end="model_failure", message="503 for an hour")
    assert "503 for an hour" in (unusual(End.MODEL_FAILURE, 1, said) or "")
