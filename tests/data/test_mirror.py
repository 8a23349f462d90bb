"""Mirrors: what goes out comes back byte for byte, or not at all; whatever is killed, damaged or hostile."""

from __future__ import annotations

import json
import os
import shutil
import stat
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlebench.cli.app import app
from mlebench.cli.verbs import mirror as _registered  # noqa: F401
from mlebench.data.manifest import read_manifest
from mlebench.data.mirror import importing
from mlebench.data.mirror.exporting import export_competition
from mlebench.data.mirror.importing import exported, import_competition
from mlebench.data.mirror.parts import Selection
from mlebench.data.mirror.store import ObjectStore
from mlebench.data.paths import DataDir
from mlebench.data.prepare import Status, prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError, NotPreparedError, UsageError
from mlebench.registry import Registry

ID = "dog-breed-identification"
ALL = Selection()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> DataDir:
    where = DataDir(tmp_path_factory.mktemp("mirror") / "data")
    prepare_competition(Registry().get(ID), where, SourceRequest("synthetic", scale=0.3), keep_raw=True)
    return where


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def elsewhere(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "elsewhere")


def count_downloads(monkeypatch) -> list[str]:
    seen: list[str] = []
    download = ObjectStore.download

    def counted(self, name, *others):
        seen.append(name)
        return download(self, name, *others)

    monkeypatch.setattr(ObjectStore, "download", counted)
    return seen


def count_uploads(monkeypatch) -> list[str]:
    seen: list[str] = []
    upload = ObjectStore.upload

    def counted(self, source, name, *others):
        seen.append(name)
        return upload(self, source, name, *others)

    monkeypatch.setattr(ObjectStore, "upload", counted)
    return seen


class TestRoundTrip:
    def test_prepared_data_comes_back_whole(self, prepared: DataDir, store: ObjectStore, elsewhere: DataDir):
        assert export_competition(ID, prepared, store, ALL).status == "exported"
        assert exported(store, ALL) == [ID]
        steps: list[int] = []
        result = import_competition(ID, elsewhere, store, ALL, step=steps.append)
        assert result.status == "imported" and sum(steps) == result.bytes
        assert verify_competition(Registry().get(ID), elsewhere).intact
        theirs, ours = (read_manifest(where.paths(ID).manifest) for where in (prepared, elsewhere))
        assert ours.files == theirs.files
        assert ours.source == "synthetic" and ours.imported_from == f"{store.url}/{ID}/prepared"
        paths = elsewhere.paths(ID)
        assert stat.S_IMODE(paths.private.stat().st_mode) == 0o700
        assert {path.stat().st_mtime for path in paths.public.rglob("*.jpg")} == {946684800.0}
        assert sorted(path.name for path in paths.home.iterdir()) == [".lock", "prepared"]
        again = prepare_competition(Registry().get(ID), elsewhere)
        assert again.status is Status.ALREADY

    def test_a_second_time_copies_nothing(self, prepared, store, elsewhere, monkeypatch):
        export_competition(ID, prepared, store, ALL)
        import_competition(ID, elsewhere, store, ALL)
        up, down = count_uploads(monkeypatch), count_downloads(monkeypatch)
        assert export_competition(ID, prepared, store, ALL).status == "already there"
        assert import_competition(ID, elsewhere, store, ALL).status == "already there"
        assert up == down == []

    def test_raw_files(self, prepared: DataDir, store: ObjectStore, elsewhere: DataDir):
        raw = Selection("raw")
        export_competition(ID, prepared, store, raw)
        import_competition(ID, elsewhere, store, raw)
        names = {path.relative_to(prepared.paths(ID).raw) for path in prepared.paths(ID).raw.rglob("*")}
        assert {path.relative_to(elsewhere.paths(ID).raw) for path in elsewhere.paths(ID).raw.rglob("*")} == names
        assert import_competition(ID, elsewhere, store, raw).status == "already there"
        made = prepare_competition(Registry().get(ID), elsewhere, SourceRequest())
        assert made.source == "raw"

    def test_public_files_alone_hold_no_answers_and_are_not_taken_for_prepared(self, prepared, store, elsewhere):
        public = Selection("public")
        export_competition(ID, prepared, store, public)
        assert not any("private" in name for name in store.sizes(ID))
        import_competition(ID, elsewhere, store, public)
        paths = elsewhere.paths(ID)
        assert (paths.home / "public" / "labels.csv").is_file() and not paths.prepared.exists()
        with pytest.raises(NotPreparedError):
            elsewhere.require_prepared(Registry().get(ID))

    def test_a_folder_store_hides_the_answers_from_others(self, prepared: DataDir, tmp_path: Path):
        export_competition(ID, prepared, ObjectStore(str(tmp_path / "s")), ALL)
        assert stat.S_IMODE((tmp_path / "s" / ID / "prepared" / "private").stat().st_mode) == 0o700

    def test_a_dry_run_writes_nothing(self, prepared: DataDir, store: ObjectStore, elsewhere: DataDir):
        told = export_competition(ID, prepared, store, ALL, dry_run=True)
        assert told.status == "would be exported" and told.copied_files == told.files and exported(store, ALL) == []
        export_competition(ID, prepared, store, ALL)
        assert import_competition(ID, elsewhere, store, ALL, dry_run=True).status == "would be imported"
        assert not elsewhere.root.exists()


class TestKilled:
    def test_an_import_goes_on_where_it_was(self, prepared, store, elsewhere, monkeypatch):
        export_competition(ID, prepared, store, ALL)
        files = len(read_manifest(prepared.paths(ID).manifest).files)
        download, left = ObjectStore.download, [files // 2]

        def dies(self, *arguments):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return download(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(importing, "WORKERS", 1)
            patch.setattr(ObjectStore, "download", dies)
            with pytest.raises(KeyboardInterrupt):
                import_competition(ID, elsewhere, store, ALL)
        home = elsewhere.paths(ID).home
        assert not elsewhere.paths(ID).prepared.exists()
        staged = sorted(path for path in (home / ".import-prepared").rglob("*") if path.is_file())
        staged[0].write_bytes(b"damaged meanwhile")
        (home / ".import-prepared" / "stranger").write_bytes(b"not in the manifest")
        seen = count_downloads(monkeypatch)
        result = import_competition(ID, elsewhere, store, ALL)
        assert len(seen) == result.copied_files == files - len(staged) + 1
        assert verify_competition(Registry().get(ID), elsewhere).intact

    def test_an_export_goes_on_where_it_was(self, prepared, store, elsewhere, monkeypatch):
        upload, count = ObjectStore.upload, [0]

        def dies(self, *arguments):
            count[0] += 1
            if count[0] > 30:
                raise KeyboardInterrupt
            return upload(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr("mlebench.data.mirror.exporting.WORKERS", 1)
            patch.setattr(ObjectStore, "upload", dies)
            with pytest.raises(KeyboardInterrupt):
                export_competition(ID, prepared, store, ALL)
        assert exported(store, ALL) == []
        with pytest.raises(DataError, match="not finished"):
            import_competition(ID, elsewhere, store, ALL)
        seen = count_uploads(monkeypatch)
        result = export_competition(ID, prepared, store, ALL)
        assert len(seen) == result.files - 30
        import_competition(ID, elsewhere, store, ALL)
        assert verify_competition(Registry().get(ID), elsewhere).intact

    def test_prepared_data_that_is_replaced_survives_a_kill_between_the_renames(self, prepared, store, elsewhere):
        export_competition(ID, prepared, store, ALL)
        import_competition(ID, elsewhere, store, ALL)
        paths = elsewhere.paths(ID)
        (paths.home / ".staging-1" / "replaced").mkdir(parents=True)
        paths.prepared.rename(paths.home / ".staging-1" / "replaced" / "prepared")
        assert import_competition(ID, elsewhere, store, ALL).status == "already there"


class TestChanged:
    def test_only_changed_files_are_exported_again(self, prepared, store, elsewhere, tmp_path, monkeypatch):
        ours = DataDir(tmp_path / "ours")
        shutil.copytree(prepared.root, ours.root)
        export_competition(ID, ours, store, ALL)
        prepare_competition(
            Registry().get(ID), ours, SourceRequest("synthetic", seed=1, scale=0.2), force=True, keep_raw=False
        )
        seen = count_uploads(monkeypatch)
        result = export_competition(ID, ours, store, ALL)
        assert 0 < len(seen) < result.files  # description and the like are the same
        import_competition(ID, elsewhere, store, ALL)
        assert verify_competition(Registry().get(ID), elsewhere).intact
        names = set(store.sizes(f"{ID}/prepared")) - {"manifest.json"}
        assert names == set(read_manifest(ours.paths(ID).manifest).files)

    def test_other_data_is_replaced_only_by_force(self, prepared, store, elsewhere):
        export_competition(ID, prepared, store, ALL)
        prepare_competition(Registry().get(ID), elsewhere, SourceRequest("synthetic", seed=5, scale=0.2))
        with pytest.raises(DataError, match="--force"):
            import_competition(ID, elsewhere, store, ALL)
        import_competition(ID, elsewhere, store, ALL, force=True)
        assert read_manifest(elsewhere.paths(ID).manifest).imported_from

    def test_what_was_changed_since_it_was_prepared_is_not_exported(self, prepared, store, tmp_path):
        ours = DataDir(tmp_path / "ours")
        shutil.copytree(prepared.root, ours.root)
        answers = next(path for path in ours.paths(ID).private.iterdir())
        content = answers.read_bytes()
        answers.write_bytes(content[:-2] + b"9\n")
        with pytest.raises(DataError, match="was changed since"):
            export_competition(ID, ours, store, ALL)
        assert exported(store, ALL) == []


def store_file(store: ObjectStore, name: str, content: bytes) -> None:
    store.write(f"{ID}/prepared/{name}", content)


class TestDamage:
    def test_a_changed_byte_is_found(self, prepared, store, elsewhere):
        export_competition(ID, prepared, store, ALL)
        content = bytearray(store.read(f"{ID}/prepared/public/labels.csv", 10**7))
        content[7] ^= 1
        store_file(store, "public/labels.csv", bytes(content))
        with pytest.raises(DataError, match=r"labels\.csv is not the file"):
            import_competition(ID, elsewhere, store, ALL)
        assert not elsewhere.paths(ID).prepared.exists()

    @pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"x" * 10_000_000])
    def test_another_size_is_found(self, prepared, store, elsewhere, change):
        export_competition(ID, prepared, store, ALL)
        store_file(store, "public/labels.csv", change(store.read(f"{ID}/prepared/public/labels.csv", 10**7)))
        with pytest.raises(DataError, match="is not the file"):
            import_competition(ID, elsewhere, store, ALL)

    def test_a_missing_file_is_found(self, prepared, store, elsewhere):
        export_competition(ID, prepared, store, ALL)
        store.delete(f"{ID}/prepared/public/labels.csv")
        with pytest.raises(DataError, match="is missing; export it anew"):
            import_competition(ID, elsewhere, store, ALL)
        export_competition(ID, prepared, store, ALL)
        import_competition(ID, elsewhere, store, ALL)

    @pytest.mark.parametrize("content", [b"", b"{", b'{"competition": 3}', b"\xff\xfe"])
    def test_a_damaged_manifest(self, prepared, store, elsewhere, content: bytes):
        export_competition(ID, prepared, store, ALL)
        store_file(store, "manifest.json", content)
        with pytest.raises(DataError, match=r"manifest\.json is damaged"):
            import_competition(ID, elsewhere, store, ALL)
        with pytest.raises(UsageError, match="--force"):  # whose are these files?
            export_competition(ID, prepared, store, ALL)
        export_competition(ID, prepared, store, ALL, force=True)
        import_competition(ID, elsewhere, store, ALL)

    @pytest.mark.parametrize(
        "name",
        ["../../evil", "/etc/evil", "public/../../evil", "evil", "manifest.json", "other/x", "public", "public//x"],
    )
    def test_a_hostile_manifest(self, prepared, store, elsewhere, name: str):
        export_competition(ID, prepared, store, ALL)
        manifest = json.loads(store.read(f"{ID}/prepared/manifest.json", 10**8))
        manifest["files"][name] = {"size": 1, "sha256": "0"}
        store_file(store, "manifest.json", json.dumps(manifest).encode())
        with pytest.raises(DataError, match=r"points outside|no place there"):
            import_competition(ID, elsewhere, store, ALL)
        assert not elsewhere.root.exists()

    def test_the_manifest_of_another_competition(self, prepared, store, elsewhere):
        export_competition(ID, prepared, store, ALL)
        manifest = json.loads(store.read(f"{ID}/prepared/manifest.json", 10**8))
        store_file(store, "manifest.json", json.dumps({**manifest, "competition": "other"}).encode())
        with pytest.raises(DataError, match="wrong place"):
            import_competition(ID, elsewhere, store, ALL)

    def test_too_little_room_is_refused_before_copying(self, prepared, store, elsewhere, monkeypatch):
        export_competition(ID, prepared, store, ALL)
        monkeypatch.setattr(importing, "free_bytes", lambda _: 10)
        with pytest.raises(DataError, match="10 B are free"):
            import_competition(ID, elsewhere, store, ALL)

    def test_a_full_disk_leaves_nothing(self, prepared, store, elsewhere, monkeypatch):
        export_competition(ID, prepared, store, ALL)

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ObjectStore, "download", full)
        with pytest.raises(DataError, match="ran full"):
            import_competition(ID, elsewhere, store, ALL)
        assert [path.name for path in elsewhere.paths(ID).home.iterdir()] == [".lock"]


class TestAddresses:
    @pytest.mark.parametrize(("url", "package"), [("s3://bucket/x", "s3fs"), ("gs://bucket/x", "gcsfs")])
    def test_a_missing_package_is_named(self, url: str, package: str):
        if __import__("importlib.util").util.find_spec(package):
            pytest.skip(f"{package} is installed")
        with pytest.raises(UsageError, match=f"pip install {package}"):
            ObjectStore(url)

    def test_an_unknown_scheme(self):
        with pytest.raises(UsageError, match="no address"):
            ObjectStore("nonsense://x")

    def test_file_addresses_and_paths_are_the_same(self, tmp_path: Path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert {str(ObjectStore(url).local_root) for url in ("s", "./s", f"file://{tmp_path}/s", f"{tmp_path}/s/")} == {
            f"{tmp_path}/s"
        }

    def test_passwords_in_addresses_are_not_shown(self):
        store = ObjectStore.__new__(ObjectStore)
        store.__init__("memory://user:secret@host/x")
        assert "secret" not in store.url


class TestVerbs:
    def call(self, *arguments: object):
        return CliRunner().invoke(app, ["mirror", *map(str, arguments)])

    def test_everything_there_is_is_the_default(self, prepared: DataDir, tmp_path: Path):
        out = self.call("export", tmp_path / "s", "--data-dir", prepared.root, "--json")
        assert json.loads(out.stdout)["done"][0]["status"] == "exported"
        assert "answers" in out.stderr
        (tmp_path / "s" / "stranger" / "prepared").mkdir(parents=True)
        (tmp_path / "s" / "stranger" / "prepared" / "manifest.json").write_text("{}")
        back = self.call("import", f"file://{tmp_path}/s", "--data-dir", tmp_path / "d")
        assert back.exit_code == 0 and "1 of 1" in back.stderr and "stranger" in back.stderr

    def test_failures_are_isolated(self, prepared: DataDir, tmp_path: Path):
        out = self.call("export", tmp_path / "s", ID, "spaceship-titanic", "--data-dir", prepared.root, "--json")
        told = json.loads(out.stdout)
        assert out.exit_code == 2
        assert [one["competition"] for one in told["done"]] == [ID]
        assert [one["competition"] for one in told["failed"]] == ["spaceship-titanic"]

    def test_a_store_inside_the_data_directory_is_refused(self, prepared: DataDir):
        out = self.call("export", prepared.root / "s", "--data-dir", prepared.root)
        assert isinstance(out.exception, UsageError)

    def test_an_empty_store(self, tmp_path: Path):
        out = self.call("import", tmp_path / "none", "--data-dir", tmp_path / "d")
        assert isinstance(out.exception, NotPreparedError)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_store_that_cannot_be_written(self, prepared: DataDir):
        out = self.call("export", "/proc/store", "--data-dir", prepared.root)
        assert out.exit_code == 1
