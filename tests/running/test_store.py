from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_kit import World

from mlebench.errors import UsageError
from mlebench.running.lock import run_lock
from mlebench.running.records import FRESH, Attempt, End, State
from mlebench.running.store import NoRoomError, RunStore, StoreError, is_no_room, load_run, resolve_run


def attempts(count: int = 2) -> list[Attempt]:
    return [Attempt(id=f"toy-s{n}", competition="toy", seed=n, created_at=datetime.now(UTC)) for n in range(count)]


@pytest.fixture
def store(world: World) -> RunStore:
    return RunStore.create(world.runs / "run", world.config(), attempts())


def test_a_new_run_is_read_back_whole(world: World, store: RunStore) -> None:
    run = load_run("run", world.runs)
    assert run.config == world.config() and [one.id for one in run.attempts] == ["toy-s0", "toy-s1"]
    assert run.id == store.id and run.versions["python"]
    assert sorted(path.name for path in world.runs.iterdir()) == ["run"]


def test_a_move_changes_state_fields_and_history_together(store: RunStore) -> None:
    moved = store.move("toy-s0", State.QUEUED, State.RUNNING, "try 1", tries=1, handle="h")
    assert moved == store.attempt("toy-s0") and (moved.state, moved.handle) == (State.RUNNING, "h")
    assert [(move.old, move.new, move.note) for move in store.transitions("toy-s0")] == [
        (State.QUEUED, State.RUNNING, "try 1")
    ]
    assert store.attempt("toy-s1").state is State.QUEUED


def test_a_move_from_the_wrong_state_changes_nothing(store: RunStore) -> None:
    before = store.attempt("toy-s0")
    with pytest.raises(StoreError, match="is queued, not running"):
        store.move("toy-s0", State.RUNNING, State.DONE)
    assert store.attempt("toy-s0") == before and store.transitions() == []


def test_fresh_fields_reset_everything_but_the_count_of_tries(store: RunStore) -> None:
    store.move("toy-s0", State.QUEUED, State.RUNNING, tries=2, handle="h", end=End.CRASHED, exit_code=1, validations=3)
    again = store.move("toy-s0", State.RUNNING, State.QUEUED, **FRESH)
    assert again == store.attempt("toy-s0")
    assert again.model_copy(update={"tries": 0}).model_dump(exclude={"created_at"}) == attempts()[0].model_dump(
        exclude={"created_at"}
    )


def test_a_run_is_never_overwritten(world: World, store: RunStore) -> None:
    with pytest.raises(UsageError, match="exists already"):
        RunStore.create(world.runs / "run", world.config(), [])
    assert len(load_run("run", world.runs).attempts) == 2


def test_a_run_is_found_by_name_by_path_and_relative_path(
    world: World, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.runs / "run"
    monkeypatch.chdir(world.root)
    for given, where in (("run", world.runs), (folder, Path("runs")), ("runs/run", Path("elsewhere"))):
        assert resolve_run(given, where) == folder
    with pytest.raises(UsageError, match=r"There is no run 'nope'.*known there: run"):
        resolve_run("nope", world.runs)


def test_a_damaged_store_is_one_sentence(world: World, store: RunStore) -> None:
    store.close()
    (world.runs / "run" / "run.sqlite").write_bytes(b"this is not a database " * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        load_run("run", world.runs)


def test_a_store_of_another_format_is_refused(world: World, store: RunStore) -> None:
    with sqlite3.connect(world.runs / "run" / "run.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="format 99"):
        load_run("run", world.runs)


def test_only_one_runner_drives_a_run(tmp_path: Path) -> None:
    holder = run_lock(tmp_path)
    with holder, pytest.raises(UsageError, match=f"driven by process {os.getpid()}"), run_lock(tmp_path):
        pass
    with run_lock(tmp_path):
        pass


def test_a_full_disk_changes_nothing_and_is_told_apart(store: RunStore) -> None:
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        with pytest.raises(NoRoomError, match="free some") as refused:
            store.move("toy-s0", State.QUEUED, State.RUNNING, "x" * 100_000)
        assert is_no_room(refused.value)
    store._db.execute("PRAGMA max_page_count = 100000")
    assert store.attempt("toy-s0").state is State.QUEUED and store.transitions() == []
    store.move("toy-s0", State.QUEUED, State.RUNNING, "x" * 100_000)
    assert is_no_room(OSError(28, "No space left on device")) and not is_no_room(OSError(5, "I/O"))
