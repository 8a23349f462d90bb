"""The data directory: where it is, and a sentence where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli import verbs  # noqa: F401
from mlebench.cli.app import app
from mlebench.data.paths import DataDir
from mlebench.errors import UsageError


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=f"{tmp_path}/file is no folder"):
            DataDir.locate(root)
    assert DataDir.locate(tmp_path / "not" / "yet").root == tmp_path / "not" / "yet"


@pytest.mark.parametrize(
    "words", [["disk"], ["doctor"], ["prepare", "spaceship-titanic"], ["leaderboard", "fetch", "x"]]
)
def test_a_user_without_a_home_reads_what_to_do(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "MLEBENCH_DATA_DIR", "MLE_BENCH_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    result = CliRunner().invoke(app, [word.replace("x", "spaceship-titanic", word == "x") for word in words])
    assert isinstance(result.exception, UsageError) and "--data-dir" in str(result.exception)


def test_nobody_of_that_name() -> None:
    with pytest.raises(UsageError, match="no home directory for ~nobody-here"):
        DataDir.locate(Path("~nobody-here/data"))
