"""What this user may not read or change is one sentence, and answers are nobody else's from the start."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli import app as command_line
from mlebench.cli.verbs import disk as _registered  # noqa: F401
from mlebench.competition import Competition
from mlebench.data import disk, manifest, verify, walking
from mlebench.data.disk import clean_raw, measure
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, os_error_told
from mlebench.registry import Registry

ID = "spaceship-titanic"


def refused(path: object) -> PermissionError:
    return PermissionError(errno.EACCES, "Permission denied", str(path))


class TestVerify:
    def test_what_is_no_file_is_told(self, data_dir: DataDir) -> None:
        paths = data_dir.paths(ID)
        (paths.public / "link").symlink_to("train.csv")
        os.mkfifo(paths.public / "pipe")
        (paths.public / os.fsdecode(b"\xff")).write_bytes(b"x")
        (paths.public / "test.csv").rename(paths.home / "test.csv")
        (paths.public / "test.csv").symlink_to(paths.home / "test.csv")
        assert verify_competition(Registry().get(ID), data_dir).problems == [
            "public/link is no regular file",
            "public/pipe is no regular file",
            "public/test.csv is no regular file",
            "public/\\udcff has a name that is not UTF-8",
        ]

    def test_a_file_that_may_not_be_read(self, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
        def may_not(path: Path, algorithm: str) -> str:
            if path.name == "train.csv":
                raise refused(path)
            return manifest.digest(path, algorithm)

        monkeypatch.setattr(verify, "digest", may_not)
        problems = verify_competition(Registry().get(ID), data_dir).problems
        assert problems == ["public/train.csv cannot be read (Permission denied)"]

    def test_a_folder_that_may_not_be_read(self, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
        scandir = os.scandir

        def may_not(path: str | Path):
            if str(path).endswith("/private"):
                raise refused(path)
            return scandir(path)

        monkeypatch.setattr(walking.os, "scandir", may_not)
        problems = verify_competition(Registry().get(ID), data_dir).problems
        assert problems == ["private cannot be read (Permission denied)"]

    def test_a_manifest_that_may_not_be_read(self, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
        def may_not(path: Path) -> None:
            raise refused(path)

        monkeypatch.setattr(manifest, "open_regular", may_not)
        with pytest.raises(DataError, match=r"manifest\.json cannot be read: Permission denied"):
            verify_competition(Registry().get(ID), data_dir)

    @pytest.mark.parametrize("content", ["[" * 200_000, '{"files":' * 100_000, '"\\ud800"', "9" * 10_000])
    def test_a_hostile_manifest(self, data_dir: DataDir, content: str) -> None:
        data_dir.paths(ID).manifest.write_text(content)
        with pytest.raises(DataError, match="is damaged"):
            verify_competition(Registry().get(ID), data_dir)


class TestDisk:
    def test_raw_files_go_though_a_killed_command_of_the_same_number_left_something(self, data_dir: DataDir) -> None:
        home = data_dir.paths(ID).home
        (home / f".staging-{os.getpid()}" / "removed").mkdir(parents=True)
        assert clean_raw(data_dir, ID) > 0
        assert sorted(path.name for path in home.iterdir()) == [".lock", "prepared"]

    def test_raw_files_that_may_not_be_removed(self, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
        def may_not(self: Path, target: Path) -> None:
            raise refused(self)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", may_not)
            with pytest.raises(DataError, match="raw cannot be removed"):
                clean_raw(data_dir, ID)
        assert sorted(path.name for path in data_dir.paths(ID).home.iterdir()) == [".lock", "prepared", "raw"]
        monkeypatch.setattr(disk, "remove_tree", lambda _: None)
        with pytest.raises(DataError, match="Not all raw files"):
            clean_raw(data_dir, ID)

    def test_a_competition_that_may_not_be_read_is_told(self, data_dir: DataDir, monkeypatch) -> None:
        (data_dir.root / "closed").mkdir()
        iterdir = Path.iterdir

        def may_not(self: Path):
            if self.name == "closed":
                raise refused(self)
            return iterdir(self)

        monkeypatch.setattr(Path, "iterdir", may_not)
        monkeypatch.setattr(disk.os, "access", lambda path, _: path.name != "closed")
        found = measure(data_dir)
        assert found.unreadable == ["closed"] and found.competitions[0].total > 0
        shown = CliRunner().invoke(command_line.app, ["disk", "--data-dir", str(data_dir.root)]).stdout
        assert "you may not read them: closed" in shown


class TestTold:
    def test_an_error_of_the_system_that_names_a_file(self, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
        def fails() -> None:
            raise refused("/some/a\udcff")

        monkeypatch.setattr(command_line, "app", fails)
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        assert caught.value.code == 1
        told = "Error: /some/a\\udcff cannot be used (Permission denied): change its permissions, or run as another user.\n"
        assert capsys.readouterr().err == told

    def test_one_that_names_none_is_a_bug(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert os_error_told(OSError(errno.EBADF, "Bad file descriptor")) is None
        assert "no room left" in str(os_error_told(OSError(errno.ENOSPC, "No space left on device")))


def test_answers_are_closed_to_others_while_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    prepare = Competition.prepare

    def spied(self, raw, public, private, **options):
        seen.append(stat.S_IMODE(private.stat().st_mode))
        prepare(self, raw, public, private, **options)

    monkeypatch.setattr(Competition, "prepare", spied)
    prepare_competition(Registry().get(ID), DataDir(tmp_path), SourceRequest("synthetic", scale=0.1))
    assert seen == [0o700]
