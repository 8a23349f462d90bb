"""From Kaggle to prepared data: unpacked once, damage and other releases told apart, nothing left behind."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from kaggle_server import RULES_MESSAGE, Contest, FakeKaggle

from mlebench.competition import Checksums, Competition
from mlebench.data import batch
from mlebench.data.archives import zip_folder
from mlebench.data.batch import PrepareOptions, prepare_many
from mlebench.data.kaggle.fetch import _damaged_member, obtain, unpack
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir
from mlebench.data.prepare import PrepareResult, prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError
from mlebench.grading.grade import grade_submission
from mlebench.registry import Registry

CLI = Path(__file__).parents[2] / "kaggle_cli.py"
ID = "spaceship-titanic"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Made-up raw files of a competition, zipped as Kaggle would."""
    folder = tmp_path_factory.mktemp("raw")
    (folder / "raw").mkdir()
    Registry().get(ID).make_raw(folder / "raw")
    zip_folder(folder / "raw", folder / "x.zip")
    return (folder / "x.zip").read_bytes()


@pytest.fixture
def competition(archive: bytes) -> Competition:
    """The competition, as if its published zip were the made-up one."""
    found = Registry().get(ID)
    found.__dict__["checksums"] = Checksums(zip=hashlib.md5(archive).hexdigest())
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


def test_credentials_make_kaggle_the_default_and_nothing_is_left(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive)
    result = prepare_competition(competition, data_dir)
    assert result.source == "kaggle" and result.verified is None
    assert sorted(path.name for path in data_dir.paths(ID).home.iterdir()) == [".lock", "prepared"]
    assert hashlib.md5(archive).hexdigest() in read_manifest(data_dir.paths(ID).manifest).source_detail


def fail_in_recipe(
    competition: Competition, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch, *, keep_raw: bool | None = None
) -> Path:
    """Prepare with a recipe that breaks down; the download folder that is left."""
    with monkeypatch.context() as patch:
        patch.setattr(Competition, "prepare", lambda *_, **__: 1 / 0)
        with pytest.raises(DataError, match="recipe failed"):
            prepare_competition(competition, data_dir, keep_raw=keep_raw)
    return data_dir.paths(ID).download


def test_the_zip_outlives_a_failing_recipe(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.contests[ID] = Contest(archive)
    download = fail_in_recipe(competition, data_dir, monkeypatch)
    assert (download / f"{ID}.zip").read_bytes() == archive and not (download / "raw").exists()
    calls = kaggle.calls.total()
    assert prepare_competition(competition, data_dir).source == "kaggle"
    assert kaggle.calls.total() == calls


def test_kept_raw_files_and_zip_serve_the_next_preparing(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive)
    prepare_competition(competition, data_dir, keep_raw=True)
    paths = data_dir.paths(ID)
    assert (paths.raw / "train.csv").is_file() and (paths.download / f"{ID}.zip").read_bytes() == archive
    calls = kaggle.calls.total()
    assert prepare_competition(competition, data_dir, SourceRequest("kaggle"), force=True).source == "kaggle"
    assert kaggle.calls.total() == calls and paths.raw.exists() and paths.download.exists()
    prepare_competition(competition, data_dir, force=True, keep_raw=False)
    assert kaggle.calls.total() == calls
    assert not paths.raw.exists() and not paths.download.exists()


def test_a_wrong_byte_is_fetched_again(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive, wrong_byte=len(archive) // 2, wrong_times=1)
    assert prepare_competition(competition, data_dir).source == "kaggle"
    assert len(kaggle.wire[ID].ranges) == 2


def test_a_byte_that_is_always_wrong_is_told_with_its_member(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive, wrong_byte=len(archive) // 2)
    with pytest.raises(DataError, match=r"damaged twice \(in .*\.csv\)"):
        prepare_competition(competition, data_dir)
    assert not data_dir.paths(ID).download.exists()


def test_another_release_is_refused_until_accepted_and_grades_say_so(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    competition.__dict__["checksums"] = Checksums(zip="0" * 32)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        sizes = {info.filename: info.file_size for info in opened.infolist()}
    files = [{"name": name, "totalBytes": size} for name, size in sizes.items()]
    kaggle.contests[ID] = Contest(archive, files=files)
    with pytest.raises(DataError, match="holds what Kaggle lists") as told:
        prepare_competition(competition, data_dir)
    assert "--accept-new-source" in str(told.value)
    files[0]["totalBytes"] += 1
    with pytest.raises(DataError, match=rf"{files[0]['name']} has .* Kaggle lists"):
        prepare_competition(competition, data_dir)
    assert len(kaggle.wire[ID].ranges) == 1  # the zip stays
    result = prepare_competition(competition, data_dir, SourceRequest(accept_new_source=True))
    assert result.verified is False and "--accept-new-source" in result.notes[0]
    paths = data_dir.paths(ID)
    report = grade_submission(competition, paths.public / "sample_submission.csv", paths)
    assert report.data_verified is False and any("accepted" in warning for warning in report.warnings)


def test_what_an_earlier_run_unpacked_is_used(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.contests[ID] = Contest(archive)
    download = fail_in_recipe(competition, data_dir, monkeypatch, keep_raw=True)
    assert (download / "raw" / "train.csv").is_file()
    (download / f"{ID}.zip").unlink()
    calls = kaggle.calls.total()
    assert prepare_competition(competition, data_dir).source == "kaggle"
    assert kaggle.calls.total() == calls and not download.exists()


def test_a_damaged_zip_of_unknown_md5_is_removed_when_its_recipe_stumbles(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    competition.__dict__["checksums"] = None
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        table = opened.getinfo("train.csv")
    kaggle.contests[ID] = Contest(archive, wrong_byte=table.header_offset + 200, wrong_times=1)
    with pytest.raises(DataError, match=r"damaged|no readable"):
        prepare_competition(competition, data_dir)
    assert not data_dir.paths(ID).download.exists() and not data_dir.paths(ID).prepared.exists()
    assert prepare_competition(competition, data_dir).source == "kaggle"


def test_a_zip_with_a_damaged_directory_is_removed(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    competition.__dict__["checksums"] = None
    kaggle.contests[ID] = Contest(archive, wrong_byte=archive.rindex(b"PK\1\2"), wrong_times=1)
    with pytest.raises(DataError):
        prepare_competition(competition, data_dir)
    assert not data_dir.paths(ID).download.exists()
    assert prepare_competition(competition, data_dir).source == "kaggle"


def test_half_unpacked_files_are_unpacked_again(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive)
    paths = data_dir.paths(ID)
    state = obtain(competition, paths)
    (paths.download / "raw.part").mkdir()
    (paths.download / "raw.part" / "train.csv").write_text("half")
    folder = unpack(ID, paths, state)
    assert (folder / "train.csv").stat().st_size > 10 and not (paths.download / "raw.part").exists()


def test_official_pages_stand_beside_ours_once(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    pages = [
        {"name": "Description", "content": "<p>told by its hosts</p>"},
        {"name": "../../evil", "content": "x", "mimeType": "text/markdown"},
    ]
    kaggle.contests[ID] = Contest(archive, pages=pages)
    prepare_competition(competition, data_dir)
    for _ in range(2):
        prepare_competition(competition, data_dir, official_description=True)
    paths = data_dir.paths(ID)
    assert sorted(path.name for path in (paths.public / "official").iterdir()) == ["description.html", "evil.md"]
    assert kaggle.calls["ListCompetitionPages"] == 1
    assert verify_competition(competition, data_dir).intact
    assert (paths.public / "description.md").is_file()


def test_a_batch_downloads_beside_preparing_and_one_failure_stops_nobody(
    kaggle: FakeKaggle, archive: bytes, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(archive)
    chosen = [Registry().get(name) for name in (ID, "leaf-classification", "iris-flowers") if name in Registry().ids()]
    options = PrepareOptions(SourceRequest(None, single=False, accept_new_source=True))
    results = {result.competition: result for result in prepare_many(chosen, data_dir, options)}
    assert isinstance(results[ID], PrepareResult)
    assert "404" in results["leaf-classification"].message


def command(kaggle: FakeKaggle, *words: str) -> subprocess.CompletedProcess[str]:
    import os

    environment = os.environ | {"KAGGLE_TEST_ENDPOINT": kaggle.endpoint}
    return subprocess.run([sys.executable, str(CLI), *words], env=environment, text=True, capture_output=True)


def test_the_command_lists_all_pages_before_it_downloads(kaggle: FakeKaggle, archive: bytes) -> None:
    refused = Contest(refuse=403, message=RULES_MESSAGE)
    kaggle.contests = {ID: Contest(archive), "leaf-classification": refused, "random-acts-of-pizza": refused}
    ids = list(kaggle.contests)
    first = command(kaggle, "prepare", *ids)
    assert first.returncode == 1 and not kaggle.wire
    for name in ids[1:]:
        assert f"  https://www.kaggle.com/competitions/{name}/rules" in first.stderr.splitlines()
    assert "KAGGLE_API_TOKEN" in first.stderr and kaggle.token not in first.stderr + first.stdout
    checked = command(kaggle, "prepare", "--check-rules", "--json", *ids)
    assert checked.returncode == 1
    assert [one["available"] for one in json.loads(checked.stdout)] == [True, False, False]
    words = ["prepare", "--skip-unavailable", "--accept-new-source", "--jobs", "2", "--json", *ids]
    last = command(kaggle, *words)
    assert last.returncode == 0, last.stderr
    told = json.loads(last.stdout)
    assert [one["competition"] for one in told["prepared"]] == [ID] and len(told["skipped"]) == 2


def test_a_bug_in_one_competition_is_its_own_failure(
    kaggle: FakeKaggle, archive: bytes, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.contests = {name: Contest(archive) for name in (ID, "leaf-classification")}
    chosen = [Registry().get(name) for name in (ID, "leaf-classification", "random-acts-of-pizza")]
    whole = batch.prepare_competition

    def sometimes(competition: Competition, *words, **options) -> PrepareResult:
        if competition.id == "leaf-classification":
            raise TypeError("s3cret")
        return whole(competition, *words, **options)

    def broken(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(batch, "prepare_competition", sometimes)
    options = PrepareOptions(SourceRequest("kaggle", single=False, accept_new_source=True))
    results = {result.competition: result for result in prepare_many(chosen, data_dir, options)}
    assert isinstance(results[ID], PrepareResult)
    assert "bug of mlebench's (TypeError in " in results["leaf-classification"].message
    assert "s3cret" not in results["leaf-classification"].message
    monkeypatch.setattr("mlebench.data.kaggle.fetch.obtain", broken)
    results = {result.competition: result for result in prepare_many(chosen, data_dir, options)}
    assert "memory" in results["random-acts-of-pizza"].message and isinstance(results[ID], PrepareResult)


def test_pages_of_any_name_and_content(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir
) -> None:
    pages = [
        {"name": None, "content": "nameless", "mimeType": "text/plain"},
        {"name": "Evaluation!", "content": "first"},
        {"name": "evaluation", "content": "second"},
        {"name": "Évaluation", "content": "\ud800 third"},
        {"name": "x" * 400, "content": "long"},
        {"name": "empty", "content": None},
    ]
    kaggle.contests[ID] = Contest(archive, pages=pages)
    prepare_competition(competition, data_dir, official_description=True)
    folder = data_dir.paths(ID).public / "official"
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found.pop("valuation.html").endswith(" third")
    assert found == {
        "page.txt": "nameless",
        "evaluation.html": "first",
        "evaluation-2.html": "second",
        f"{'x' * 100}.html": "long",
    }
    assert verify_competition(competition, data_dir).intact


def test_pages_that_do_not_fit_on_the_disk(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    kaggle.contests[ID] = Contest(archive, pages=[{"name": "Description", "content": "x"}])
    prepare_competition(competition, data_dir)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(DataError, match=r"pages of .* \(No space left on device\)"):
            prepare_competition(competition, data_dir, official_description=True)
    assert not list(data_dir.paths(ID).home.glob(".official*")) and verify_competition(competition, data_dir).intact
    prepare_competition(competition, data_dir, official_description=True)
    assert verify_competition(competition, data_dir).intact


def test_pages_that_nobody_would_get_are_asked_for_once(
    kaggle: FakeKaggle, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [Registry().get(name) for name in (ID, "leaf-classification", "random-acts-of-pizza")]
    made_up = SourceRequest("synthetic", single=False)
    assert len([*prepare_many(chosen, data_dir, PrepareOptions(made_up))]) == 3
    monkeypatch.setenv("KAGGLE_API_TOKEN", "wrong")
    for _ in range(2):
        kaggle.calls.clear()
        failures = list(prepare_many(chosen, data_dir, PrepareOptions(made_up, official_description=True)))
        assert len(failures) == 3 and all("401" in one.message for one in failures)
        assert kaggle.calls.total() == 1


def test_one_competition_can_be_skipped_and_none_needs_no_credentials(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.contests[ID] = Contest(refuse=403, message=RULES_MESSAGE)
    skipped = command(kaggle, "prepare", ID, "--source", "kaggle", "--skip-unavailable", "--data-dir", str(tmp_path))
    assert skipped.returncode == 0 and "0 of 1 competitions are prepared" in skipped.stderr
    assert "1 skipped" in skipped.stderr and f"competitions/{ID}/rules" in skipped.stderr
    practice = command(kaggle, "prepare", "--split", "practice", "--check-rules", "--json")
    assert practice.returncode == 0 and json.loads(practice.stdout) == []
    assert "no rules to accept" in practice.stderr


def rot(archive: Path) -> None:
    """Change one byte of the largest member of a zip."""
    with zipfile.ZipFile(archive) as opened:
        largest = max(opened.infolist(), key=lambda info: info.compress_size)
    with archive.open("r+b") as file:
        file.seek(largest.header_offset + 200)
        byte = file.read(1)[0]
        file.seek(-1, io.SEEK_CUR)
        file.write(bytes([byte ^ 0xFF]))


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("keep_raw", [None, True])
def test_a_kept_zip_that_rots_is_removed_and_fetched_anew(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir, published: bool, keep_raw
) -> None:
    if not published:
        competition.__dict__["checksums"] = None
    kaggle.contests[ID] = Contest(archive)
    prepare_competition(competition, data_dir, keep_raw=True)
    paths = data_dir.paths(ID)
    shutil.rmtree(paths.raw)
    rot(paths.download / f"{ID}.zip")
    with pytest.raises(DataError, match=r"was damaged .* has been removed: run the same command again"):
        prepare_competition(competition, data_dir, force=True, keep_raw=keep_raw)
    assert paths.prepared.exists()
    assert prepare_competition(competition, data_dir, force=True, keep_raw=keep_raw).source == "kaggle"
    assert len(kaggle.wire[ID].ranges) == 2


def odd_zip(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        for name in names:
            out.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize("keep_raw", [None, True])
@pytest.mark.parametrize("names", [(), ("../../evil",), ("a", "a/b")], ids=["empty", "escape", "twice"])
def test_a_zip_that_cannot_be_used_names_a_way_out_that_works(
    kaggle: FakeKaggle, competition: Competition, archive: bytes, data_dir: DataDir, names: tuple[str, ...], keep_raw
) -> None:
    competition.__dict__["checksums"] = None
    kaggle.contests[ID] = Contest(odd_zip(*names))
    with pytest.raises(DataError) as told:
        prepare_competition(competition, data_dir, keep_raw=keep_raw)
    found = re.search(r"remove (\S+) and run the same command again", str(told.value))
    if names:
        Path(found[1]).unlink()
    else:
        assert "has been removed" in str(told.value)
    kaggle.contests[ID] = Contest(archive, etag='"v2"')
    assert prepare_competition(competition, data_dir, keep_raw=keep_raw).source == "kaggle"


def test_a_published_zip_that_holds_no_files_is_damaged(
    kaggle: FakeKaggle, competition: Competition, data_dir: DataDir
) -> None:
    kaggle.contests[ID] = Contest(odd_zip())
    with pytest.raises(DataError, match=r"damaged twice \(in its directory of members, which is empty\)"):
        prepare_competition(competition, data_dir)


def test_a_file_in_place_of_the_download_folder(kaggle: FakeKaggle, archive: bytes, tmp_path: Path) -> None:
    kaggle.contests[ID] = Contest(archive)
    (tmp_path / ID).mkdir()
    (tmp_path / ID / "download").write_text("x")
    told = command(kaggle, "prepare", ID, "--source", "kaggle", "--data-dir", str(tmp_path))
    said = " ".join(told.stderr.split())
    assert told.returncode == 1 and "Traceback" not in said and "remove what is in its way" in said


def test_another_compression_is_no_damage_and_a_flipped_byte_is(tmp_path: Path) -> None:
    for method, damaged in ((zipfile.ZIP_BZIP2, None), (zipfile.ZIP_STORED, "a")):
        archive = tmp_path / f"{method}.zip"
        with zipfile.ZipFile(archive, "w", method) as out:
            out.writestr("a", b"content")
        if method == zipfile.ZIP_STORED:
            archive.write_bytes(archive.read_bytes().replace(b"content", b"c0ntent"))
        assert _damaged_member(archive) == damaged
