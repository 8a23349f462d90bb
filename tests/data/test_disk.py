"""Disk: a refusal with figures before, one sentence when it runs full, and honest accounts."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli.app import app
from mlebench.cli.verbs import disk as _registered  # noqa: F401
from mlebench.competition import load_competition
from mlebench.data import space
from mlebench.data.batch import Failure, PrepareOptions, prepare_many
from mlebench.data.disk import clean_raw, measure, with_raw
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.space import SpaceNeed, full_disk_told, require_space, space_needed
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, UsageError
from mlebench.registry import Registry

MB = 1_000_000


@pytest.fixture
def pictures():
    return Registry().get("histopathologic-cancer-detection")


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


def raw_folder(path: Path, pictures: int = 3) -> Path:
    (path / "train").mkdir(parents=True)
    (path / "train.csv").write_bytes(b"x" * 1000)
    for number in range(pictures):
        (path / "train" / f"{number}.tif").write_bytes(b"y" * 500)
    return path


class TestNeed:
    def test_a_zip_needs_its_members_and_if_they_are_kept_its_tables_once_more(
        self, pictures, data_dir: DataDir, tmp_path: Path
    ):
        raw = raw_folder(tmp_path / "raw")
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as out:
            for path in sorted(raw.rglob("*.*")):
                out.write(path, path.relative_to(raw).as_posix())
        request = SourceRequest(str(tmp_path / "x.zip"))
        assert space_needed(pictures, data_dir.paths(pictures.id), request) == SpaceNeed(pictures.id, stays=2500)
        kept = space_needed(pictures, data_dir.paths(pictures.id), request, keep_raw=True)
        assert kept == SpaceNeed(pictures.id, stays=2500, passing=1000)

    def test_a_folder_on_the_same_disk_needs_its_tables_only(self, pictures, data_dir: DataDir, tmp_path: Path):
        request = SourceRequest(str(raw_folder(tmp_path / "raw")))
        assert space_needed(pictures, data_dir.paths(pictures.id), request) == SpaceNeed(pictures.id, stays=1000)

    def test_a_folder_on_another_disk_is_copied(self, pictures, data_dir: DataDir, tmp_path: Path, monkeypatch):
        raw = raw_folder(tmp_path / "raw")
        monkeypatch.setattr(space, "_existing", lambda _: Path("/proc"))
        need = space_needed(pictures, data_dir.paths(pictures.id), SourceRequest(str(raw)))
        assert need == SpaceNeed(pictures.id, stays=2500)

    def test_a_download_needs_zip_and_content_less_what_is_here(self, pictures, data_dir: DataDir):
        paths = data_dir.paths(pictures.id)
        need = space_needed(pictures, paths, SourceRequest("kaggle"), zip_bytes=6_000 * MB)
        assert need == SpaceNeed(pictures.id, stays=7_800 * MB, passing=6_000 * MB)
        kept = space_needed(pictures, paths, SourceRequest("kaggle"), zip_bytes=6_000 * MB, keep_raw=True)
        assert kept == SpaceNeed(pictures.id, stays=7_800 * MB, passing=6_780 * MB)
        paths.download.mkdir(parents=True)
        with (paths.download / "x.zip.part").open("wb") as part:
            part.truncate(1_000 * MB)  # sparse
        need = space_needed(pictures, paths, SourceRequest("kaggle"), zip_bytes=6_000 * MB)
        assert need == SpaceNeed(pictures.id, stays=7_800 * MB, passing=5_000 * MB)

    def test_made_up_data_is_not_guessed(self, pictures, data_dir: DataDir):
        assert space_needed(pictures, data_dir.paths(pictures.id), SourceRequest("synthetic")) is None


class TestRefusal:
    def test_too_little_is_refused_with_figures_before_anything_is_made(self, pictures, data_dir, monkeypatch):
        monkeypatch.setattr(space, "free_bytes", lambda _: 5_000 * MB)
        with pytest.raises(DataError) as caught:
            require_space([pictures], data_dir, SourceRequest("kaggle"), zip_bytes={pictures.id: 6_000 * MB})
        message = str(caught.value)
        assert "13.8 GB" in message and "5.0 GB are free" in message and "--data-dir" in message
        assert not data_dir.root.exists()

    def test_only_as_many_zips_count_as_are_there_at_once(self, data_dir: DataDir, monkeypatch):
        chosen = [
            Registry().get(one)
            for one in ("histopathologic-cancer-detection", "ranzcr-clip-catheter-line-classification")
        ]
        needs = [space_needed(one, data_dir.paths(one.id), SourceRequest("kaggle")) for one in chosen]
        one_at_a_time = sum(need.stays for need in needs) + max(need.passing for need in needs)
        monkeypatch.setattr(space, "free_bytes", lambda _: one_at_a_time)
        require_space(chosen, data_dir, SourceRequest("kaggle"))
        with pytest.raises(DataError, match="2 competitions"):
            require_space(chosen, data_dir, SourceRequest("kaggle"), at_once=2)

    def test_what_is_prepared_needs_nothing(self, pictures, data_dir: DataDir, monkeypatch):
        data_dir.paths(pictures.id).prepared.mkdir(parents=True)
        monkeypatch.setattr(space, "free_bytes", lambda _: 0)
        require_space([pictures], data_dir, SourceRequest("kaggle"))
        with pytest.raises(DataError):
            require_space([pictures], data_dir, SourceRequest("kaggle"), force=True)

    def test_an_impossible_source_is_left_to_preparing(self, pictures, data_dir: DataDir):
        require_space([pictures], data_dir, SourceRequest("/nowhere"))


class TestFullDisk:
    def test_a_full_disk_deep_in_a_library_is_one_sentence(self, tmp_path: Path):
        with pytest.raises(DataError, match="ran full while preparing x") as caught, full_disk_told("x", tmp_path):
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError as error:
                raise RuntimeError("could not save") from error
        assert "\n" not in str(caught.value)

    def test_other_errors_pass(self, tmp_path: Path):
        with pytest.raises(RuntimeError), full_disk_told("x", tmp_path):
            raise RuntimeError("else")

    @pytest.mark.skipif(os.geteuid() != 0 or not sys.platform.startswith("linux"), reason="mounts need root on Linux")
    def test_a_small_disk_is_left_as_it_was(self, tmp_path: Path):
        mount, competition = tmp_path / "small", Registry().get("histopathologic-cancer-detection")
        options = PrepareOptions(SourceRequest("synthetic", scale=2))
        outcomes = []
        for kilobytes in (200, 900, 1600, 2000, 2100, 2200, 2400, 6000):
            mount.mkdir(exist_ok=True)
            size = f"size={kilobytes}k"
            made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", mount], capture_output=True)
            if made.returncode:
                pytest.skip(f"no mounts here: {made.stderr.decode()}")
            try:
                result = next(iter(prepare_many([competition], DataDir(mount), options)))
                left = sorted(path.name for path in (mount / competition.id).iterdir())
                if isinstance(result, Failure):
                    assert "ran full" in result.message and "--data-dir" in result.message
                    assert left == [".lock"]
                else:
                    assert left == [".lock", "prepared"]
                    assert verify_competition(competition, DataDir(mount)).intact
                outcomes.append(isinstance(result, Failure))
            finally:
                subprocess.run(["umount", mount], check=True)
        assert outcomes[:3] == [True] * 3 and outcomes[-1] is False and outcomes == sorted(outcomes, reverse=True)


class TestUse:
    def test_hard_links_count_once(self, pictures, data_dir: DataDir):
        prepare_competition(pictures, data_dir, SourceRequest("synthetic"), keep_raw=True)
        found = measure(data_dir)
        use = found.competitions[0]
        blocks = {
            (s.st_ino): s.st_blocks * 512 for s in (p.lstat() for p in data_dir.paths(pictures.id).home.rglob("*"))
        }
        assert use.total == found.total == sum(blocks.values())
        raw = data_dir.paths(pictures.id).raw
        pictures_of_test = sum(p.stat().st_blocks * 512 for p in (raw / "test").iterdir())
        assert pictures_of_test <= use.raw < use.prepared

    def test_each_kind_is_told_apart(self, data_dir: DataDir):
        home = data_dir.root / "some"
        for name in ("prepared/public", "raw", "download", ".staging-7", "notes"):
            (home / name).mkdir(parents=True)
            (home / name / "file").write_bytes(b"z" * 8192)
        use = measure(data_dir).competitions[0]
        assert min(use.prepared, use.raw, use.download, use.leftover, use.other) >= 8192

    def test_an_empty_directory_is_no_error(self, data_dir: DataDir):
        assert measure(data_dir).competitions == []
        assert measure(data_dir, ["absent"]).total == 0


class TestCleanRaw:
    def test_raw_goes_and_prepared_stays(self, pictures, data_dir: DataDir):
        prepare_competition(pictures, data_dir, SourceRequest("synthetic"), keep_raw=True)
        before = measure(data_dir).total
        freed = clean_raw(data_dir, pictures.id)
        assert freed > 0 and abs(before - measure(data_dir).total - freed) <= 8192
        home = data_dir.paths(pictures.id).home
        assert sorted(path.name for path in home.iterdir()) == [".lock", "prepared"]

    def test_what_is_not_prepared_is_cleaned_only_when_named(self, data_dir: DataDir):
        data_dir.paths("some").raw.mkdir(parents=True)
        assert with_raw(data_dir) == []
        assert with_raw(data_dir, ["some"]) == ["some"]
        with pytest.raises(UsageError, match="no raw files of other"):
            with_raw(data_dir, ["some", "other"])

    def test_without_a_terminal_yes_must_be_said(self, pictures, data_dir: DataDir):
        prepare_competition(pictures, data_dir, SourceRequest("synthetic"), keep_raw=True)
        call = ["disk", "--clean-raw", "--data-dir", str(data_dir.root)]
        refused = CliRunner().invoke(app, call)
        assert isinstance(refused.exception, UsageError) and "--yes" in str(refused.exception)
        assert data_dir.paths(pictures.id).raw.is_dir()
        done = CliRunner().invoke(app, [*call, "--yes", "--json"])
        assert json.loads(done.stdout)["freed"].keys() == {pictures.id}
        assert not data_dir.paths(pictures.id).raw.exists()


def test_the_table_and_the_json_agree(pictures, data_dir: DataDir):
    prepare_competition(pictures, data_dir, SourceRequest("synthetic"))
    call = ["disk", "--data-dir", str(data_dir.root)]
    shown = CliRunner().invoke(app, call).stdout
    told = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert pictures.id in shown and "free" in shown
    assert told["total"] == told["competitions"][0]["total"] == told["competitions"][0]["prepared"]


def test_raw_sizes_of_the_shipped_competitions_are_plausible():
    known = [one for one in Registry().all() if one.facts.data.raw_gb]
    assert len(known) > 20
    for one in known:
        prepared = one.facts.data.prepared_gb or 0
        assert prepared <= 1.1 * one.facts.data.raw_gb, one.id
        assert load_competition(one.folder).facts.data.raw_gb < 1000
