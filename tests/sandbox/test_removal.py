"""Removing what an agent left, however deep, closed or crowded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlebench.sandbox import removal
from mlebench.sandbox.removal import remove_tree


def test_deeper_than_paths_and_recursion(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d" * 60, dir_fd=here)
        os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here))
        below = os.open("d" * 60, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_tree(top)
    assert not top.exists()


def test_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    top = tmp_path / "top"
    (top / "a").mkdir(parents=True)
    (top / "a" / "link").symlink_to(tmp_path / "kept")
    (top / "link").symlink_to(tmp_path / "kept")
    (top / "loop").symlink_to(top)
    os.mkfifo(top / "a" / "pipe")
    remove_tree(top)
    assert not top.exists() and (tmp_path / "kept" / "file").read_text() == "x"


def test_closed_folders(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a" / "b" / "c").mkdir(parents=True)
    (top / "a" / "b" / "c" / "file").write_text("x")
    for path in (top / "a" / "b" / "c", top / "a" / "b", top / "a", top):
        path.chmod(0)
    remove_tree(top)
    assert not top.exists()


def test_nothing_there_and_no_folder(tmp_path: Path) -> None:
    remove_tree(tmp_path / "absent")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError):
        remove_tree(tmp_path / "link")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("0123ab"), min_size=1, max_size=6), max_size=30))
def test_names_like_those_it_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[list[str]]) -> None:
    monkeypatch.setattr(removal, "_AT_ONCE", 3)
    top = tmp_path / "top"
    top.mkdir()
    for parts in paths:
        path = top.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        except OSError:  # a file where a folder would have to be, or the other way round
            pass
    remove_tree(top)
    assert not top.exists()
