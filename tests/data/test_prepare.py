"""Preparing: whole or absent, once, from every source, and honest about what it is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mlebench.data import outcome
from mlebench.data.batch import Failure, PrepareOptions, prepare_many
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir
from mlebench.data.prepare import Status, prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, NotPreparedError, UsageError
from mlebench.grading.grade import grade_submission
from mlebench.registry import Registry

SYNTHETIC = SourceRequest("synthetic")


@pytest.fixture
def spaceship():
    return Registry().get("spaceship-titanic")


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


def test_second_call_does_nothing(spaceship, data_dir: DataDir) -> None:
    first = prepare_competition(spaceship, data_dir, SYNTHETIC)
    manifest = data_dir.paths(spaceship.id).manifest
    stamp = manifest.stat().st_mtime_ns
    second = prepare_competition(spaceship, data_dir, SYNTHETIC)
    assert (first.status, second.status) == (Status.PREPARED, Status.ALREADY)
    assert manifest.stat().st_mtime_ns == stamp


def test_nothing_but_the_prepared_folder_is_left(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    assert sorted(p.name for p in data_dir.paths(spaceship.id).home.iterdir()) == [".lock", "prepared"]


def test_kept_raw_files_are_used_by_the_next_preparing(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC, keep_raw=True)
    assert (data_dir.paths(spaceship.id).raw / "train.csv").is_file()
    raw = data_dir.paths(spaceship.id).raw
    again = prepare_competition(spaceship, data_dir, SourceRequest(), force=True)
    assert again.source == "raw" and raw.is_dir()
    prepare_competition(spaceship, data_dir, SourceRequest(), force=True, keep_raw=False)
    assert not raw.exists()


def test_folder_and_zip_sources_give_the_same_bytes(spaceship, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    spaceship.make_raw(raw)
    archive = tmp_path / "spaceship-titanic.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in raw.iterdir():
            out.write(path, path.name)
    manifests = []
    for number, source in enumerate((raw, archive, tmp_path)):
        data_dir = DataDir(tmp_path / f"data{number}")
        result = prepare_competition(spaceship, data_dir, SourceRequest(str(source)))
        assert result.source == "folder"
        manifests.append(read_manifest(data_dir.paths(spaceship.id).manifest))
    assert manifests[0].files == manifests[1].files == manifests[2].files
    assert sorted(p.name for p in raw.iterdir()) == ["sample_submission.csv", "test.csv", "train.csv"]


def test_checksums_are_compared_on_given_files_and_never_on_synthetic_data(spaceship, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    spaceship.make_raw(raw)
    given = prepare_competition(spaceship, DataDir(tmp_path / "a"), SourceRequest(str(raw)))
    made = prepare_competition(spaceship, DataDir(tmp_path / "b"), SYNTHETIC)
    assert given.verified is False
    assert any("public/train.csv differs" in note for note in given.notes)
    assert made.verified is None and made.notes == []


def test_synthetic_never_passes_for_real_data(spaceship, data_dir: DataDir, tmp_path: Path) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    with pytest.raises(UsageError, match="already prepared from synthetic data"):
        prepare_competition(spaceship, data_dir, SourceRequest(str(tmp_path)))


def test_missing_raw_file_is_named_and_nothing_is_left(spaceship, data_dir: DataDir, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "other.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"train\.csv"):
        prepare_competition(spaceship, data_dir, SourceRequest(str(raw)))
    assert sorted(p.name for p in data_dir.paths(spaceship.id).home.iterdir()) == [".lock"]


def test_raw_file_of_another_shape_is_explained(spaceship, data_dir: DataDir, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "train.csv").write_text("a,b\n" + "1,2\n" * 30)
    with pytest.raises(DataError, match="Kaggle's unchanged download"):
        prepare_competition(spaceship, data_dir, SourceRequest(str(raw)))


def test_force_replaces_and_failed_force_keeps_the_old(spaceship, data_dir: DataDir, tmp_path: Path) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    paths = data_dir.paths(spaceship.id)
    before = read_manifest(paths.manifest)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "x").write_text("")
    with pytest.raises(DataError):
        prepare_competition(spaceship, data_dir, SourceRequest(str(tmp_path / "raw")), force=True)
    assert read_manifest(paths.manifest) == before
    prepare_competition(spaceship, data_dir, SourceRequest("synthetic", seed=1), force=True)
    assert read_manifest(paths.manifest).files != before.files


def test_leftovers_of_a_killed_run_are_removed_and_a_displaced_folder_comes_back(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    paths = data_dir.paths(spaceship.id)
    staging = paths.home / ".staging-1"
    (staging / "replaced").mkdir(parents=True)
    paths.prepared.rename(staging / "replaced" / "prepared")  # killed between the two renames of --force
    result = prepare_competition(spaceship, data_dir, SYNTHETIC)
    assert result.status is Status.ALREADY
    assert not staging.exists()


def test_kill_in_the_middle_leaves_nothing_half_made(data_dir: DataDir, tmp_path: Path) -> None:
    """kill -9 at several moments: afterwards the folder is whole or absent, and the next call makes it whole."""
    digits = Registry().get("practice-digits")
    command = [sys.executable, "-m", "mlebench", "prepare", digits.id, "--data-dir", str(data_dir.root)]
    for delay in (0.5, 0.9, 1.1, 1.3, 1.6):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        paths = data_dir.paths(digits.id)
        if paths.prepared.exists():
            assert verify_competition(digits, data_dir).intact
            shutil.rmtree(paths.prepared)
    prepare_competition(digits, data_dir)
    assert verify_competition(digits, data_dir).intact
    assert not list(data_dir.paths(digits.id).home.glob(".staging-*"))


def test_published_data_directory_is_adopted(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    paths = data_dir.paths(spaceship.id)
    paths.manifest.unlink()
    (paths.public / "description.md").unlink()
    result = prepare_competition(spaceship, data_dir)
    assert result.status is Status.ADOPTED
    assert result.verified is False  # the published sums cannot hold on made-up data
    assert read_manifest(paths.manifest).source == "adopted"
    assert (paths.public / "description.md").is_file()


def test_answers_and_sample_alone_are_enough_to_grade(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    paths = data_dir.paths(spaceship.id)
    for path in (
        paths.manifest,
        paths.public / "train.csv",
        paths.public / "test.csv",
        paths.public / "description.md",
    ):
        path.unlink()
    report = grade_submission(spaceship, paths.public / "sample_submission.csv", paths)
    assert report.valid and report.data_verified is None and report.data_source is None


def test_folder_without_answers_is_refused(spaceship, data_dir: DataDir) -> None:
    data_dir.paths(spaceship.id).public.mkdir(parents=True)
    with pytest.raises(DataError, match=r"lacks private/test\.csv"):
        prepare_competition(spaceship, data_dir)


def test_verify_finds_changed_missing_and_extra_files(spaceship, data_dir: DataDir) -> None:
    prepare_competition(spaceship, data_dir, SYNTHETIC)
    public = data_dir.paths(spaceship.id).public
    assert verify_competition(spaceship, data_dir).intact
    text = (public / "train.csv").read_text()
    (public / "train.csv").unlink()
    (public / "train.csv").write_text(text.replace("Earth", "Mars!", 1))
    (public / "test.csv").unlink()
    (public / "extra.csv").write_text("x")
    problems = verify_competition(spaceship, data_dir).problems
    assert problems == [
        "public/test.csv is missing",
        "public/train.csv was changed",
        "public/extra.csv is not in the manifest",
    ]


def test_verify_needs_something_prepared(spaceship, data_dir: DataDir) -> None:
    with pytest.raises(NotPreparedError):
        verify_competition(spaceship, data_dir)


def test_one_failure_does_not_stop_the_others(data_dir: DataDir) -> None:
    chosen = Registry().select(["spooky-author-identification", "practice-diabetes"])
    results = list(prepare_many(chosen, data_dir, PrepareOptions(SourceRequest(None, single=False))))
    assert isinstance(results[0], Failure) and "--source" in results[0].message
    assert not isinstance(results[1], Failure)


def test_unchanged_files_are_hard_links_to_raw(data_dir: DataDir) -> None:
    """A recipe that publishes files unchanged costs no second copy on disk."""
    from mlebench.data.files import link_tree

    source, target = data_dir.root / "a", data_dir.root / "b"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "x.bin").write_bytes(b"1234")
    assert link_tree(source, target) == 1
    assert (target / "deep" / "x.bin").samefile(source / "deep" / "x.bin")
    with pytest.raises(DataError, match="missing or empty"):
        link_tree(source / "shallow", target)
    assert link_tree(source / "shallow", target, required=False) == 0


@pytest.mark.parametrize("own", [True, False])
def test_times_of_public_files_tell_nothing(own: bool, data_dir: DataDir, tmp_path: Path) -> None:
    """Order of unpacking or copying may tell a class; a user's own files keep their times."""
    cassava = Registry().get("cassava-leaf-disease-classification")
    raw = tmp_path / "raw"
    raw.mkdir()
    cassava.make_raw(raw)
    before = {path: path.stat().st_mtime for path in raw.rglob("*") if path.is_file()}
    prepare_competition(cassava, data_dir, SYNTHETIC if own else SourceRequest(str(raw)))
    times = {path.stat().st_mtime for path in data_dir.paths(cassava.id).public.rglob("*")}
    assert (len(times) == 1) == own
    assert {path: path.stat().st_mtime for path in before} == before


@pytest.mark.parametrize(
    ("competition", "file", "member"),
    [
        ("tensorflow2-question-answering", "simplified-nq-train.jsonl", None),
        ("billion-word-imputation", "train_v2.txt.zip", "train_v2.txt"),
    ],
)
def test_raw_tables_without_rows_give_no_prepared_data(
    tmp_path: Path, data_dir: DataDir, competition: str, file: str, member: str | None
) -> None:
    opened = Registry().get(competition)
    (raw := tmp_path / "raw").mkdir()
    opened.make_raw(raw)
    (raw / file).write_bytes(b"")
    if member:
        with zipfile.ZipFile(raw / file, "w") as out:
            out.writestr(member, b"")
    with pytest.raises(DataError, match=r"private/\S+ has no rows"):
        prepare_competition(opened, data_dir, SourceRequest(str(raw)))
    assert not data_dir.paths(competition).prepared.exists()


@pytest.mark.parametrize(
    ("name", "content", "has_rows"),
    [
        ("a.csv", b"", False),
        ("a.csv", b"id,a\n", False),
        ("a.csv", b"id,a\r\n\r\n", False),
        ("a.csv", b"id,a\n1,2", True),
        ("a.jsonl", b"\n", False),
        ("a.jsonl", b"{}\n", True),
    ],
)
def test_what_counts_as_a_row(tmp_path: Path, name: str, content: bytes, has_rows: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert outcome._has_rows(tmp_path / name) == has_rows
