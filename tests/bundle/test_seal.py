"""Sealing: what bundle.json says of an attempt's folder, for odd contents too."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_kit import FakeSandbox, World, start_run

from mlebench.bundle.hashes import decode_path, encode_path, folder_sha256
from mlebench.bundle.index import Index, NotABundleError, parse_index, read_index
from mlebench.bundle.seal import seal
from mlebench.running.events import verify_chain
from mlebench.running.grading import regrade_run
from mlebench.running.records import Attempt
from mlebench.running.store import load_run


def _run(world: World) -> tuple[Path, Attempt, Index]:
    (attempt,) = start_run(world, FakeSandbox())
    folder = world.runs / "run" / attempt.id
    found = read_index(folder)
    assert found is not None and found[0].digest == found[1] == attempt.bundle
    return folder, attempt, found[0]


def test_the_runner_leaves_a_sealed_folder(world: World) -> None:
    folder, attempt, index = _run(world)
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert set(index.files) == set(there) - {"bundle.json"}
    for name, file in index.files.items():
        assert file.sha256 == hashlib.sha256(there[name].read_bytes()).hexdigest()
        assert file.size == there[name].stat().st_size
    chain = verify_chain(folder / "events.jsonl")
    assert index.heads["events.jsonl"].hash == chain.head == attempt.events_head
    assert index.heads["events.jsonl"].lines == chain.lines
    assert index.grade_sha256 == index.files["grade.json"].sha256
    assert index.attempt == json.loads((folder / "attempt.json").read_text())
    assert "gateway_key" not in index.attempt and "providers_file" not in index.run


def test_sealing_again_changes_nothing_until_there_is_something_new(world: World) -> None:
    folder, attempt, index = _run(world)
    config = load_run("run", world.runs).config
    before = (folder / "bundle.json").read_bytes()
    assert seal(folder, attempt, config, run_id=index.run_id) == index.digest
    assert (folder / "bundle.json").read_bytes() == before
    (folder / "code" / "more.py").write_text("")
    assert seal(folder, attempt, config, run_id=index.run_id) != index.digest


def test_a_regrade_seals_again(world: World) -> None:
    folder, attempt, index = _run(world)
    from mlebench.registry import Registry

    regrade_run("run", world.runs, Registry([world.root / "competitions"]))
    after = load_run("run", world.runs).attempts[0]
    found = read_index(folder)
    assert found is not None and after.bundle == found[1] != attempt.bundle
    assert found[0].heads["events.jsonl"].lines == index.heads["events.jsonl"].lines + 1


def test_links_pipes_and_odd_names_are_told_and_never_followed(world: World) -> None:
    folder, attempt, _ = _run(world)
    config = load_run("run", world.runs).config
    secret = world.root / "secret"
    secret.write_text("answers")
    os.symlink(secret, folder / "code" / "link")
    os.symlink(world.root, folder / "code" / "folder")
    os.mkfifo(folder / "logs" / "pipe")
    odd = os.fsencode(folder / "code") + b"/new\nline\xff%"
    Path(os.fsdecode(odd)).write_text("x")
    seal(folder, attempt, config)
    found = read_index(folder)
    assert found is not None
    told = {(one.path, one.kind) for one in found[0].left_out}
    assert told == {
        ("code/link", "symbolic link"),
        ("code/folder", "symbolic link"),
        ("logs/pipe", "named pipe"),
    }
    assert "code/new%0Aline%FF%25" in found[0].files
    assert hashlib.sha256(b"answers").hexdigest() not in (folder / "bundle.json").read_text()


@given(st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw))
def test_any_name_survives(raw: bytes) -> None:
    name = os.fsdecode(raw)
    encoded = encode_path(name)
    assert encoded.isascii() and encoded.isprintable() and decode_path(encoded) == name


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 2}', b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_what_is_no_index_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(NotABundleError):
        parse_index(content)


def test_a_folder_hash_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_text("1")
    first = folder_sha256(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("2")
    assert folder_sha256(tmp_path) == first
    (tmp_path / "a" / "x.py").rename(tmp_path / "a" / "y.py")
    assert folder_sha256(tmp_path) != first
