"""Large tables stay in the zip while a recipe reads them: the same data, without an unpacked copy on the disk."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mlebench.competition import Checksums, Competition
from mlebench.data import streamed
from mlebench.data.archives import zip_folder
from mlebench.data.kaggle.download import State, zip_path
from mlebench.data.kaggle.fetch import unpack
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.space import space_needed
from mlebench.data.streamed import ARCHIVE, open_raw
from mlebench.errors import DataError
from mlebench.registry import Registry

ID, TABLE = "new-york-city-taxi-fare-prediction", "train.csv"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taxi") / "raw"
    folder.mkdir()
    Registry().get(ID).make_raw(folder)
    zip_folder(folder, folder.parent / "taxi.zip")
    return folder


@pytest.fixture
def competition(raw: Path) -> Competition:
    return Registry().get(ID)


@pytest.fixture
def archive(raw: Path) -> Path:
    return raw.parent / "taxi.zip"


def hashes(data: DataDir) -> dict[str, str]:
    manifest = read_manifest(data.paths(ID).manifest)
    assert manifest is not None
    return {name: entry.sha256 for name, entry in manifest.files.items()}


def test_a_zip_gives_what_a_folder_gives_without_unpacking_the_table(
    competition: Competition, raw: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    prepare = Competition.prepare

    def noted(self: Competition, raw: Path, *others: Path, **options: str) -> None:
        seen.extend(sorted(path.name for path in raw.iterdir()))
        prepare(self, raw, *others, **options)

    monkeypatch.setattr(Competition, "prepare", noted)
    from_folder, from_zip = DataDir(tmp_path / "a"), DataDir(tmp_path / "b")
    prepare_competition(competition, from_folder, SourceRequest(str(raw)))
    assert TABLE in seen and ARCHIVE not in seen
    seen.clear()
    prepare_competition(competition, from_zip, SourceRequest(str(archive)))
    assert TABLE not in seen and ARCHIVE in seen and "test.csv" in seen
    assert hashes(from_zip) == hashes(from_folder)
    assert archive.is_file()
    assert sorted(path.name for path in from_zip.paths(ID).home.iterdir()) == [".lock", "prepared"]


def test_raw_files_that_are_kept_are_whole(competition: Competition, raw: Path, archive: Path, tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    prepare_competition(competition, data, SourceRequest(str(archive)), keep_raw=True)
    kept = data.paths(ID).raw
    assert sorted(path.name for path in kept.iterdir()) == sorted(path.name for path in raw.iterdir())
    assert (kept / TABLE).read_bytes() == (raw / TABLE).read_bytes()


def test_a_download_holds_on_to_its_zip_until_it_is_prepared_and_can_still_be_kept(
    competition: Competition, raw: Path, archive: Path, tmp_path: Path
) -> None:
    paths = DataDir(tmp_path / "data").paths(ID)
    paths.download.mkdir(parents=True)
    shutil.copyfile(archive, zip_path(paths.download, ID))
    state = State(competition=ID, total=archive.stat().st_size)
    state.md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    state.write(paths.download)
    folder = unpack(ID, paths, state, streamed=[TABLE])
    assert not (folder / TABLE).exists() and not zip_path(paths.download, ID).exists()
    with open_raw(folder, TABLE) as file:
        assert file.read() == (raw / TABLE).read_bytes()
    assert unpack(ID, paths, state, streamed=[TABLE]) == folder  # a second run finds it done
    folder = unpack(ID, paths, state, streamed=[TABLE], keep_zip=True)
    assert (folder / TABLE).read_bytes() == (raw / TABLE).read_bytes() and not (folder / ARCHIVE).exists()
    assert zip_path(paths.download, ID).read_bytes() == archive.read_bytes()


def test_what_is_neither_unpacked_nor_in_the_zip_is_missing(raw: Path, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"), open_raw(tmp_path, "absent.csv"):
        pass
    streamed.unpack(archive, tmp_path / "x", [TABLE])
    with pytest.raises(DataError, match=r"absent\.csv"), open_raw(tmp_path / "x", "absent.csv"):
        pass
    streamed.unpack(archive, tmp_path / "y", ["absent.csv"])
    assert not (tmp_path / "y" / ARCHIVE).exists() and (tmp_path / "y" / TABLE).is_file()


def test_the_space_asked_for_is_without_the_table(competition: Competition, archive: Path, tmp_path: Path) -> None:
    paths = DataDir(tmp_path / "data").paths(ID)
    need = space_needed(competition, paths, SourceRequest(str(archive)))
    assert need is not None and need.passing < 0.3 * need.stays
    assert competition.checksums != Checksums()  # a damaged table is found by the published sum of the zip
