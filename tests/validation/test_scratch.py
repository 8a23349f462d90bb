"""Scratch folders: kept while their runner lives, swept when it was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlebench.validation.scratch import make_scratch


def test_what_a_killed_runner_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = (
        f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}\n"
        "from mlebench.validation.scratch import make_scratch\n"
        "print(make_scratch(), flush=True); input()"
    )
    runner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None and runner.stdin is not None
    theirs = Path(runner.stdout.readline().strip())
    (theirs / "submission.csv").write_text("x")
    mine = make_scratch()
    assert theirs.is_dir() and mine.is_dir(), "a living runner's"
    runner.kill()
    runner.wait()
    runner.stdin.close()
    runner.stdout.close()
    other = tmp_path / "mlebench-validation-1-gone-x"
    other.symlink_to(tmp_path)
    make_scratch()
    assert not theirs.exists() and mine.is_dir() and other.is_symlink()
