"""Mirrors and what is not theirs: nobody's files are deleted, odd stores and data are sentences, nothing hangs."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli.app import app
from mlebench.cli.verbs import mirror as _registered  # noqa: F401
from mlebench.data.mirror.exporting import export_competition
from mlebench.data.mirror.importing import import_competition
from mlebench.data.mirror.parts import Selection
from mlebench.data.mirror.store import ObjectStore
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, UsageError
from mlebench.registry import Registry

ID = "spaceship-titanic"
ALL, RAW = Selection(), Selection("raw")
ONE = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def there(root: Path, data_dir: DataDir) -> Path:
    """What the store has of prepared data."""
    export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
    return root / ID / "prepared"


@pytest.fixture
def elsewhere(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "elsewhere")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestOthersFiles:
    @pytest.mark.parametrize("selection", [ALL, RAW])
    @pytest.mark.parametrize("force", [False, True])
    def test_a_store_that_is_the_data_through_a_symlink(self, selection, force: bool, data_dir: DataDir, root: Path):
        root.mkdir()
        (root / ID).symlink_to(data_dir.paths(ID).home)
        before = contents(data_dir.root)
        with pytest.raises(UsageError, match="lies in the data directory"):
            export_competition(ID, data_dir, ObjectStore(str(root)), selection, force=force)
        assert contents(data_dir.root) == before

    def test_data_that_lies_in_the_store_through_a_symlink(self, data_dir: DataDir, root: Path):
        (root / ID).mkdir(parents=True)
        raw = data_dir.paths(ID).raw
        raw.rename(root / ID / "raw")
        raw.symlink_to(root / ID / "raw")
        with pytest.raises(UsageError, match="export to another place"):
            export_competition(ID, data_dir, ObjectStore(str(root)), RAW, force=True)

    @pytest.mark.parametrize("force", [False, True])
    def test_a_folder_of_the_store_that_leads_elsewhere(self, force: bool, there: Path, data_dir: DataDir):
        (there / "public").rename(there.parent / "mine")
        (there / "public").symlink_to(there.parent / "mine")
        with pytest.raises(UsageError, match="public is a symlink"):
            export_competition(ID, data_dir, ObjectStore(str(there.parents[1])), ALL, force=force)

    @pytest.mark.parametrize("name", ["precious.txt", "manifest.json", "train.csv", "deep/manifest.json.partial"])
    def test_a_users_folder_is_left_alone(self, name: str, data_dir: DataDir, root: Path):
        mine = root / ID / "raw" / name
        mine.parent.mkdir(parents=True)
        mine.write_bytes(b"{}")
        with pytest.raises(UsageError, match="no export put there"):
            export_competition(ID, data_dir, ObjectStore(str(root)), RAW)
        assert contents(root) == {f"{ID}/raw/{name}": b"{}"}
        export_competition(ID, data_dir, ObjectStore(str(root)), RAW, force=True)
        assert mine.is_file()
        assert (mine.read_bytes() == b"{}") == (name not in ("manifest.json", "train.csv"))
        assert export_competition(ID, data_dir, ObjectStore(str(root)), RAW).status == "already there"

    def test_a_users_file_beside_an_export_is_left_alone(self, there: Path, data_dir: DataDir, root: Path):
        (there / "public" / "mine.txt").write_bytes(b"mine")
        _replace(data_dir)
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        assert (there / "public" / "mine.txt").read_bytes() == b"mine"
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL, force=True)
        assert (there / "public" / "mine.txt").read_bytes() == b"mine"

    def test_a_users_file_in_the_place_of_a_new_one(self, there: Path, data_dir: DataDir, root: Path):
        manifest = json.loads((there / "manifest.json").read_bytes())
        del manifest["files"]["public/train.csv"]
        (there / "manifest.json").write_text(json.dumps(manifest))
        (there / "public" / "train.csv").write_bytes(b"mine")
        with pytest.raises(UsageError, match=r"\(public/train\.csv\)"):
            export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        assert (there / "public" / "train.csv").read_bytes() == b"mine"

    def test_files_of_an_export_that_was_killed_while_deleting_go(self, there: Path, data_dir, root, monkeypatch):
        (data_dir.paths(ID).public / "old.csv").write_bytes(b"old")
        data_dir.paths(ID).manifest.unlink()
        prepare_competition(Registry().get(ID), data_dir)  # adopted, with old.csv
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        (there / "public" / ".old.csv.tmp").write_bytes(b"o")  # as a killed export leaves
        _replace(data_dir)
        with monkeypatch.context() as patch:
            patch.setattr(ObjectStore, "delete", _dies)
            with pytest.raises(KeyboardInterrupt):
                export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        assert (there / "public" / "old.csv").exists()
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        assert contents(there) == contents(data_dir.paths(ID).prepared)


def _replace(data_dir: DataDir) -> None:
    prepare_competition(Registry().get(ID), data_dir, SourceRequest("synthetic", seed=1, scale=0.1), force=True)


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


class TestOddData:
    @pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "manifest"])
    def test_one_that_cannot_be_exported_does_not_stop_the_others(self, kind: str, data_dir: DataDir, root: Path):
        other = "practice-diabetes"
        prepare_competition(Registry().get(other), data_dir)
        broken = data_dir.paths(other).public / "train.csv"
        content = broken.read_bytes()
        broken.unlink()
        if kind == "folder":
            broken.mkdir()
        elif kind == "fifo":
            os.mkfifo(broken)
        elif kind == "manifest":
            broken.write_bytes(content)
            data_dir.paths(other).manifest.unlink()
            data_dir.paths(other).manifest.mkdir()
        result = CliRunner().invoke(app, ["mirror", "export", str(root), "--data-dir", str(data_dir.root)])
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
        assert (root / ID / "prepared" / "manifest.json").is_file()
        assert "1 of 2 competitions" in result.stderr
        assert ("is missing" if kind == "missing" else "is no regular file") in " ".join(result.stderr.split())

    def test_one_that_may_not_be_read(self, data_dir: DataDir, root: Path, monkeypatch: pytest.MonkeyPatch):
        def may_not(path: Path) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("mlebench.data.mirror.store.open_regular", may_not)  # the tests may run as root
        with pytest.raises(DataError, match=r"\.csv cannot be read \(Permission denied\); `mlebench verify`"):
            export_competition(ID, data_dir, ObjectStore(str(root)), ALL)

    def test_raw_files_that_are_symlinks_are_exported(self, data_dir: DataDir, root: Path, elsewhere: DataDir):
        raw = data_dir.paths(ID).raw
        (raw / "train.csv").rename(raw.parent / "moved.csv")
        (raw / "train.csv").symlink_to(raw.parent / "moved.csv")
        export_competition(ID, data_dir, ObjectStore(str(root)), RAW)
        import_competition(ID, elsewhere, ObjectStore(str(root)), RAW)
        assert contents(elsewhere.paths(ID).raw) == contents(raw)
        assert import_competition(ID, data_dir, ObjectStore(str(root)), RAW).status == "already there"

    @pytest.mark.parametrize("odd", ["manifest.json", "manifest.json.partial", "folder", "dangling", "pipe"])
    def test_raw_files_that_cannot_be_exported_are_told(self, odd: str, data_dir: DataDir, root: Path, tmp_path: Path):
        place = data_dir.paths(ID).raw / odd
        if odd == "folder":
            place.symlink_to(tmp_path)
        elif odd == "dangling":
            place.symlink_to("nowhere")
        elif odd == "pipe":
            os.mkfifo(place)
        else:
            place.write_bytes(b"{}")
        with pytest.raises(DataError, match=rf"{odd} (is no regular file|cannot be exported)"):
            export_competition(ID, data_dir, ObjectStore(str(root)), RAW)
        assert not root.exists()

    @pytest.mark.parametrize("what", ["raw", "public"])
    def test_what_has_no_answers_gets_no_folder_for_them(self, what, data_dir: DataDir, root: Path):
        export_competition(ID, data_dir, ObjectStore(str(root)), Selection(what))
        assert not (root / ID / what / "private").exists()


class TestOddStores:
    def test_broken_links_in_a_store_are_no_files(self, there: Path, data_dir: DataDir, root: Path, elsewhere: DataDir):
        (there / "public" / "dangling").symlink_to("nowhere")
        (there / "public" / "loop").symlink_to("loop")
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL, force=True)
        import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        assert verify_competition(Registry().get(ID), elsewhere).intact

    def test_a_name_that_is_not_utf8(self, root: Path):
        with pytest.raises(UsageError, match=r"store\\udcff has a name that is not UTF-8"):
            ObjectStore(f"{root}\udcff")

    @pytest.mark.parametrize(
        "name",
        ["public/\ud800", "public/" + "n" * 300, "public/" + "ü" * 200, "public/" + "d/" * 2500 + "x"],
    )
    def test_names_that_no_disk_takes(self, name: str, there: Path, root: Path, elsewhere: DataDir):
        manifest = json.loads((there / "manifest.json").read_bytes())
        manifest["files"][name] = ONE
        (there / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(DataError, match=r"no place there|is damaged") as caught:
            import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        assert len(str(caught.value)) < 1000 and not elsewhere.root.exists()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda files: files.clear(), "names no files of public/"),
            (
                lambda files: [files.pop(name) for name in list(files) if "private" in name],
                "names no files of private/",
            ),
            (lambda files: files.update({"public/x": {**ONE, "size": 10**400}}), "is damaged"),
            (lambda files: files.update({"public/x": {**ONE, "size": -1}}), "is damaged"),
        ],
    )
    def test_files_that_cannot_be(self, change: Callable, said: str, there: Path, root: Path, elsewhere: DataDir):
        manifest = json.loads((there / "manifest.json").read_bytes())
        change(manifest["files"])
        (there / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(DataError, match=said):
            import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        assert not elsewhere.root.exists()

    @pytest.mark.parametrize("content", ["[" * 200_000, '{"files":' * 100_000])
    def test_brackets_in_brackets(self, content: str, there: Path, data_dir, root: Path, elsewhere: DataDir):
        (there / "manifest.json").write_text(content)
        with pytest.raises(DataError, match="is damaged"):
            import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        with pytest.raises(UsageError, match="--force"):
            export_competition(ID, data_dir, ObjectStore(str(root)), ALL)
        export_competition(ID, data_dir, ObjectStore(str(root)), ALL, force=True)
        import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)

    @pytest.mark.parametrize("name", ["manifest.json", "public/train.csv"])
    @pytest.mark.parametrize("kind", ["fifo", "endless", "link", "folder"])
    def test_what_is_no_regular_file(self, name: str, kind: str, there: Path, root: Path, elsewhere: DataDir):
        place = there / name
        place.rename(root / "kept")
        if kind == "fifo":
            os.mkfifo(place)
        elif kind == "folder":
            place.mkdir()
        else:
            place.symlink_to("/dev/zero" if kind == "endless" else root / "kept")
        with pytest.raises(DataError, match="is no regular file"):
            import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        assert not elsewhere.paths(ID).prepared.exists()

    def test_answers_are_closed_to_others_after_an_import_that_failed(self, there: Path, root: Path, elsewhere):
        (there / "public" / "train.csv").unlink()
        (elsewhere.paths(ID).home / ".import-prepared" / "private").mkdir(parents=True, mode=0o755)
        with pytest.raises(DataError, match="is missing"):
            import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        private = elsewhere.paths(ID).home / ".import-prepared" / "private"
        assert stat.S_IMODE(private.stat().st_mode) == 0o700

    def test_what_an_import_never_made_is_not_taken_over(self, there: Path, root: Path, elsewhere: DataDir):
        left = elsewhere.paths(ID).home / ".import-prepared" / "public"
        left.mkdir(parents=True)
        (left / "link").symlink_to("/etc/hostname")
        import_competition(ID, elsewhere, ObjectStore(str(root)), ALL)
        assert verify_competition(Registry().get(ID), elsewhere).intact
