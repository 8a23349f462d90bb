from __future__ import annotations

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import DataError
from mlebench.running.events import EventLog, read_events, verify_chain


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as events:
        for number in range(4):
            events.append("step", number=number, text="Ü\n\ud800")
    return path


def test_a_log_that_nobody_touched_holds(log: Path) -> None:
    with EventLog(log) as events:
        events.append("later")
        head = events.head
    chain = verify_chain(log, head)
    assert chain.holds and chain.lines == 5 and chain.size == log.stat().st_size
    assert [line["seq"] for line in read_events(log)] == list(range(5))


def _whole(tmp: Path) -> bytes:
    with EventLog(tmp) as events:
        for number in range(3):
            events.append("step", number=number)
    return tmp.read_bytes()


@given(data=st.data())
def test_a_changed_byte_breaks_the_chain(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    content = bytearray(_whole(path))
    head = verify_chain(path).head
    at = data.draw(st.integers(0, len(content) - 1))
    was = content[at]
    content[at] = data.draw(st.integers(33, 126).filter(lambda byte: byte != was))
    path.write_bytes(bytes(content))
    assert not verify_chain(path, head).holds


@pytest.mark.parametrize("drop", [0, 1, 2, 3])
def test_a_dropped_line_breaks_the_chain(log: Path, drop: int) -> None:
    head = verify_chain(log).head
    lines = log.read_bytes().splitlines(keepends=True)
    del lines[drop]
    log.write_bytes(b"".join(lines))
    chain = verify_chain(log, head)
    assert not chain.holds and chain.lines == drop
    if drop == 3:
        assert verify_chain(log).holds  # only the head kept elsewhere tells


def test_swapped_lines_break_the_chain(log: Path) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    log.write_bytes(b"".join(lines))
    assert "line 2" in (verify_chain(log).problem or "")


@pytest.mark.parametrize("left", [1, 20, -1])
def test_a_torn_last_line_is_dropped_and_noted(log: Path, left: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:3]) + lines[3][:left])
    assert verify_chain(log).torn
    with EventLog(log) as events:
        events.append("on")
    assert [line["event"] for line in read_events(log)] == ["step"] * 3 + ["torn_line_dropped", "on"]
    assert verify_chain(log).holds


def test_a_changed_log_is_not_continued(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'"number": 1', b'"number": 9'))
    with pytest.raises(DataError, match="line 2 was changed"):
        EventLog(log)


def test_facts_cannot_pose_as_the_chain(log: Path) -> None:
    with EventLog(log) as events, pytest.raises(ValueError, match="belong to the log"):
        events.append("step", hash="0" * 64)


def test_a_disk_that_was_full_for_a_moment_leaves_a_log_that_holds(log: Path) -> None:
    before = log.stat().st_size
    with EventLog(log) as events:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (before + 40, limits[1]))  # a part of the line goes in
        try:
            for _ in range(2):
                with pytest.raises(OSError):
                    events.append("too much", text="x" * 500)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert log.stat().st_size == before
        events.append("room again")
        head = events.head
    assert verify_chain(log, head).holds and [line["event"] for line in read_events(log)][-1] == "room again"
