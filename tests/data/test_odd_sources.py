"""Raw files that are links, FIFOs or have odd names, and sources that are no sources: used rightly, or one sentence."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from mlebench.data import raw_files
from mlebench.data.archives import extract_tar
from mlebench.data.files import link, link_named
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.raw_files import lead_to, read_raw
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, UsageError
from mlebench.registry import Registry

ID = "dog-breed-identification"
NOT_UTF8 = os.fsdecode(b"\xff")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw files of a competition with pictures."""
    raw = tmp_path_factory.mktemp("made") / "raw"
    raw.mkdir()
    Registry().get(ID).make_raw(raw, seed=0, scale=0.2)
    return raw


@pytest.fixture
def raw(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "mine"))


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


def prepare(raw: Path | str, data_dir: DataDir):
    return prepare_competition(Registry().get(ID), data_dir, SourceRequest(str(raw)))


class TestLinks:
    def test_pictures_that_are_symlinks_become_files(self, made: Path, data_dir: DataDir, tmp_path: Path) -> None:
        shutil.copytree(made, tmp_path / "linked", copy_function=lambda a, b: os.symlink(a, b))
        result = prepare(tmp_path / "linked", data_dir)
        prepared = data_dir.paths(ID).prepared
        assert not [path for path in prepared.rglob("*") if path.is_symlink()]
        assert result.files == len([path for path in prepared.rglob("*") if path.is_file()]) - 1
        assert verify_competition(Registry().get(ID), data_dir).intact
        whole = DataDir(tmp_path / "whole")
        prepare(made, whole)
        ours, theirs = (
            {
                path.relative_to(where.paths(ID).public): path.read_bytes()
                for path in where.paths(ID).public.rglob("*.*")
            }
            for where in (data_dir, whole)
        )
        assert ours == theirs

    def test_links_to_links_by_relative_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a").write_bytes(b"content")
        (tmp_path / "b").symlink_to("a")
        (tmp_path / "c").symlink_to("b")
        monkeypatch.chdir(tmp_path)
        link(Path("c"), Path("out/one"))
        assert link_named(tmp_path, tmp_path / "out", ["b"]) == 1
        inode = (tmp_path / "a").stat().st_ino
        assert [os.lstat(tmp_path / "out" / name).st_ino for name in ("one", "b")] == [inode, inode]

    def test_a_link_to_another_disk_is_copied(self, tmp_path: Path) -> None:
        elsewhere = Path("/dev/shm")
        if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("no other disk is here")
        there = elsewhere / f"mlebench-{os.getpid()}"
        there.write_bytes(b"content")
        try:
            (tmp_path / "a").symlink_to(there)
            link(tmp_path / "a", tmp_path / "b")
        finally:
            there.unlink()
        assert not (tmp_path / "b").is_symlink() and (tmp_path / "b").read_bytes() == b"content"

    def test_a_folder_that_is_a_link_is_used(self, raw: Path, data_dir: DataDir, tmp_path: Path) -> None:
        (raw / "train").rename(tmp_path / "train")
        (raw / "train").symlink_to(tmp_path / "train")
        prepare(raw, data_dir)
        assert verify_competition(Registry().get(ID), data_dir).intact


class TestOddFiles:
    def test_a_fifo_is_refused_at_once(self, raw: Path, data_dir: DataDir) -> None:
        os.mkfifo(raw / "train" / "pipe")
        with pytest.raises(DataError, match=r"train/pipe is no regular file; mend or remove it"):
            prepare(raw, data_dir)
        assert [path.name for path in data_dir.paths(ID).home.iterdir()] == [".lock"]

    def test_a_fifo_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="no regular file"):
            read_raw(tmp_path / "pipe")

    def test_a_name_that_is_not_utf8_is_refused_at_once(self, raw: Path, data_dir: DataDir) -> None:
        (raw / "train" / f"a{NOT_UTF8}.jpg").write_bytes(b"x")
        with pytest.raises(DataError, match=r"a\\udcff\.jpg has a name that is not UTF-8"):
            prepare(raw, data_dir)
        assert not data_dir.paths(ID).prepared.exists()

    def test_a_tar_member_whose_name_is_not_utf8(self, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "x.tar", "w", errors="surrogateescape") as tar:
            tar.addfile(tarfile.TarInfo(f"a{NOT_UTF8}"))
        with pytest.raises(DataError, match="not UTF-8"):
            extract_tar(tmp_path / "x.tar", tmp_path / "out")


class TestArchiveAbove:
    @pytest.mark.parametrize("content", ["a zip", "no zip"])
    def test_a_file_above_the_raw_folder_does_not_take_it_over(self, content: str, tmp_path: Path) -> None:
        mine = tmp_path / "above" / "mine"
        mine.mkdir(parents=True)
        evil = tmp_path / "above" / raw_files.ARCHIVE
        if content == "a zip":
            with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
                archive.writestr("mine/absent.png", b"evil")
            evil.symlink_to(tmp_path / "evil.zip")
        else:
            evil.write_bytes(b"x")
        assert not raw_files.is_raw_file(mine / "absent.png")
        assert raw_files.list_raw(mine) == []
        with pytest.raises(FileNotFoundError):
            read_raw(mine / "absent.png")

    def test_nor_does_a_file_of_that_name_within_it(self, tmp_path: Path) -> None:
        (tmp_path / raw_files.ARCHIVE).write_bytes(b"x")
        assert raw_files.list_raw(tmp_path, "*") == [tmp_path / raw_files.ARCHIVE]

    def test_a_folder_leads_to_its_zip_though_others_are_forgotten(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.writestr("a/b.txt", b"content")
        lead_to(tmp_path / "x.zip", tmp_path / "raw")
        raw_files.forget()
        assert read_raw(tmp_path / "raw" / "a" / "b.txt") == b"content"


class TestNoSources:
    @pytest.mark.parametrize("source", ["/dev/null", "x" * 5000, "a\0b", "pipe", "raw.zip/x"])
    def test_what_is_neither_file_nor_folder(self, source: str, data_dir: DataDir, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "raw.zip").write_bytes(b"")
        with pytest.raises(UsageError, match="neither a file nor a folder") as caught:
            prepare(source, data_dir)
        assert len(str(caught.value)) < 400

    def test_an_empty_one_is_not_the_current_folder(self, raw: Path, data_dir: DataDir, monkeypatch) -> None:
        monkeypatch.chdir(raw)
        with pytest.raises(UsageError, match="--source is empty"):
            prepare("", data_dir)

    def test_a_folder_whose_name_is_not_utf8(self, raw: Path, data_dir: DataDir) -> None:
        odd = raw.rename(raw.with_name(f"mine{NOT_UTF8}"))
        with pytest.raises(UsageError, match="not UTF-8; rename it"):
            prepare(odd, data_dir)
        with pytest.raises(UsageError, match="not UTF-8; use another"):
            DataDir.locate(odd)

    @pytest.mark.parametrize("kind", ["zip", "folder"])
    def test_what_may_not_be_read(self, kind: str, raw: Path, data_dir: DataDir, monkeypatch) -> None:
        source = raw
        if kind == "zip":
            source = raw.with_suffix(".zip")
            source.write_bytes(b"x")
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != source)  # the tests may run as root
        with pytest.raises(UsageError, match="may not be read"):
            prepare(source, data_dir)
