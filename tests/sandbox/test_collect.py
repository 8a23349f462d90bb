"""Collecting from an outbox that an enemy filled."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlebench.sandbox import collect
from mlebench.sandbox.collect import UNBOUNDED, collect_outbox, copy_regular, outbox_usage, safe_name


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    for name in ("submission", "code", "logs"):
        (tmp_path / "outbox" / name).mkdir(parents=True)
    return tmp_path / "outbox"


def why(report: collect.CollectReport) -> dict[str, str]:
    return {item.path: item.why for item in report.skipped}


def test_ordinary_files_arrive(outbox: Path, tmp_path: Path) -> None:
    (outbox / "submission" / "submission.csv").write_text("id,y\n")
    (outbox / "code" / "a" / "b").mkdir(parents=True)
    (outbox / "code" / "a" / "b" / "x.py").write_bytes(b"y" * 3_000_000)
    (outbox / "code" / "a" / "b" / "x.py").chmod(0o4755)
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    assert (report.files, report.bytes, report.skipped) == (2, 3_000_005, [])
    assert (tmp_path / "got" / "submission" / "submission.csv").read_text() == "id,y\n"
    copied = tmp_path / "got" / "code" / "a" / "b" / "x.py"
    assert copied.read_bytes() == b"y" * 3_000_000 and copied.stat().st_mode & 0o7111 == 0
    (outbox / "submission" / "submission.csv").write_text("new")
    collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    assert (tmp_path / "got" / "submission" / "submission.csv").read_text() == "new"


def test_nothing_but_regular_files(outbox: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "test.csv").write_text("answers")
    (outbox / "submission" / "submission.csv").symlink_to(secret / "test.csv")
    (outbox / "code" / "folder").symlink_to(secret)
    os.mkfifo(outbox / "logs" / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(outbox / "logs")
    listening.bind("socket")
    os.chdir(here)
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    listening.close()
    assert report.files == 0
    assert why(report) == {
        "submission/submission.csv": "not a regular file (symbolic link)",
        "code/folder": "not a regular file (symbolic link)",
        "logs/pipe": "not a regular file (named pipe)",
        "logs/socket": "not a regular file (socket)",
    }
    assert [path for path in (tmp_path / "got").rglob("*") if not path.is_dir()] == []


def test_an_output_folder_that_is_a_link(outbox: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "test.csv").write_text("answers")
    (outbox / "code").rmdir()
    (outbox / "code").symlink_to(tmp_path / "secret")
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    assert "code" in why(report) and list((tmp_path / "got" / "code").iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make files of other users")
def test_hard_links_to_files_of_others(outbox: Path, tmp_path: Path) -> None:
    for name in ("submission", "code", "logs"):
        os.chown(outbox / name, 10001, 10001)
    (tmp_path / "answers.csv").write_text("answers")
    os.link(tmp_path / "answers.csv", outbox / "submission" / "submission.csv")
    (outbox / "code" / "one").write_text("own")
    os.chown(outbox / "code" / "one", 10001, 10001)
    os.link(outbox / "code" / "one", outbox / "code" / "two")
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    assert why(report) == {"submission/submission.csv": "a hard link to a file of another user"}
    assert report.files == 2


def test_bounds(outbox: Path, tmp_path: Path) -> None:
    (outbox / "submission" / "submission.csv").write_bytes(b"x" * 900)
    with (outbox / "code" / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (outbox / "logs" / "second").write_bytes(b"x" * 200)
    report = collect_outbox(outbox, tmp_path / "got", 1000, 1000)
    assert report.bytes == 900
    assert "too large" in why(report)["code/sparse"] and "too large" in why(report)["logs/second"]
    for number in range(300):
        (outbox / "code" / f"{number}").touch()
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 100)
    assert sum(path.is_file() for path in (tmp_path / "got").rglob("*")) <= 100
    assert any("too many files" in reason for reason in why(report).values())


def test_depth_is_bounded(outbox: Path, tmp_path: Path) -> None:
    here = os.open(outbox / "code", os.O_RDONLY)
    for _ in range(500):
        os.mkdir("d" * 50, dir_fd=here)
        below = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 10_000)
    assert "deeper" in report.skipped[0].why
    assert outbox_usage(outbox) == UNBOUNDED


def test_odd_names(outbox: Path, tmp_path: Path) -> None:
    folder = os.fsencode(outbox / "code")
    for name in (b"a\nb", b"\xff\xfe", b"back\\slash", "naïve ü.txt".encode(), b"Same", b"same", b"x" * 255):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(name)
    report = collect_outbox(outbox, tmp_path / "got", 10**9, 1000)
    names = {path.name for path in (tmp_path / "got" / "code").iterdir()}
    assert report.files == 7 and len({name.casefold() for name in names}) == 7
    assert {"a%0Ab", "%FF%FE", "back%5Cslash", "naïve ü.txt", "x" * 200} <= names


@given(st.binary(min_size=1, max_size=255).filter(lambda raw: b"/" not in raw and b"\0" not in raw))
def test_safe_names_are_ordinary(raw: bytes) -> None:
    name = safe_name(os.fsdecode(raw))
    assert 0 < len(os.fsencode(name)) <= 200 and name.isprintable() and "/" not in name and "\\" not in name


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text("aB. ~%ä", min_size=1, max_size=8), st.binary(max_size=50)), max_size=12))
def test_whatever_files_there_are_all_arrive(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    import tempfile

    root = Path(tempfile.mkdtemp(dir=tmp_path))
    written: dict[str, bytes] = {}
    (root / "outbox" / "code").mkdir(parents=True)
    for name, content in files:
        if name not in (".", ".."):
            (root / "outbox" / "code" / name).write_bytes(content)
            written[name] = content
    report = collect_outbox(root / "outbox", root / "got", 10**6, 100)
    assert report.files == len(written)
    got = sorted(path.read_bytes() for path in (root / "got" / "code").iterdir())
    assert got == sorted(written.values())


def test_names_swapped_while_it_runs(outbox: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text("the answers")
    target, over = outbox / "submission" / "submission.csv", threading.Event()

    def swap() -> None:
        while not over.is_set():
            for make in (lambda: target.write_text("mine"), lambda: target.symlink_to(tmp_path / "answers.csv")):
                target.unlink(missing_ok=True)
                make()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(80):
            collect_outbox(outbox, tmp_path / "got", 10**6, 10)
            got = tmp_path / "got" / "submission" / "submission.csv"
            assert not got.is_symlink() and (not got.exists() or got.read_text() in ("", "mine"))
    finally:
        over.set()
        thread.join()


def test_one_file_for_a_snapshot(outbox: Path, tmp_path: Path) -> None:
    folder, copy = outbox / "submission", tmp_path / "snapshot.csv"
    assert copy_regular(folder, "submission.csv", copy, 100) == "no such file or directory"
    (folder / "submission.csv").write_text("id,y\n")
    assert copy_regular(folder, "submission.csv", copy, 100) is None and copy.read_text() == "id,y\n"
    assert "too large" in str(copy_regular(folder, "submission.csv", copy, 3))
    (folder / "submission.csv").unlink()
    (folder / "submission.csv").symlink_to(tmp_path / "outbox")
    assert "symbolic link" in str(copy_regular(folder, "submission.csv", copy, 100))
    assert copy.read_text() == "id,y\n"
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_usage(outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outbox_usage(outbox) == 0
    (outbox / "code" / "big").write_bytes(b"x" * 1_000_000)
    with (outbox / "logs" / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert 1_000_000 <= outbox_usage(outbox) < 1_100_000
    monkeypatch.setattr(collect, "MAX_WATCHED", 1)
    assert outbox_usage(outbox) == UNBOUNDED


def test_a_path_that_programs_could_not_open_is_left(outbox: Path, tmp_path: Path) -> None:
    here = os.open(outbox / "code", os.O_RDONLY)
    for _ in range(50):
        os.mkdir("d" * 150, dir_fd=here)
        below = os.open("d" * 150, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    report = collect_outbox(outbox, tmp_path / "kept", 10**6, 1000)
    assert report.skipped_count == 1 and "too long a path" in report.skipped[0].why
    assert all(len(str(path.relative_to(tmp_path))) < 1400 for path in (tmp_path / "kept").rglob("*"))
