"""Raw files are read where they lie: in a folder, in the zip they came in, in archives within that zip."""

from __future__ import annotations

import os
import random
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlebench.competition import Competition
from mlebench.data import archive_rules, manifest, nested, raw_files
from mlebench.data.archives import (
    extract_zip,
    open_member,
    open_zip,
    read_members,
    read_tar,
    tar_names,
    write_tar,
    write_zip,
    zip_folder,
)
from mlebench.data.arrays import array_shape, read_array
from mlebench.data.files import copy, link, link_all, link_named, link_tree
from mlebench.data.manifest import read_manifest
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.raw_files import ARCHIVE, is_raw_file, lead_to, list_raw, local_file, open_raw, read_raw
from mlebench.data.sevenzip import extract_7z, write_7z
from mlebench.data.sources import SourceRequest
from mlebench.data.space import space_needed
from mlebench.data.tables import read_csv, read_parquet, write_parquet
from mlebench.data.verify import verify_competition
from mlebench.errors import DataError
from mlebench.registry import Registry

TABLE = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, np.nan, 1e-9]})
PICTURES = {f"train/{label}/{n}.png": os.urandom(n * 7) for label in "xy" for n in range(20)}


@pytest.fixture(autouse=True)
def _closed_afterwards():
    yield
    raw_files.forget()


@pytest.fixture(params=["folder", "deflated", "stored"])
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same raw files as a folder, and as a zip of either kind."""
    folder = tmp_path / "raw"
    for name, content in PICTURES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    TABLE.to_csv(folder / "train.csv", index=False)
    write_parquet(TABLE, folder / "train.parquet")
    np.save(folder / "rows.npy", np.arange(60).reshape(20, 3))
    write_zip(folder / "pictures.zip", PICTURES.items())
    write_tar(folder / "pictures.tar", PICTURES.items())
    write_tar(folder / "pictures.tar.gz", PICTURES.items(), compressed=True)
    write_7z(folder / "pictures.7z", list(PICTURES.items())[1:4])
    if request.param == "folder":
        return folder
    kind = zipfile.ZIP_STORED if request.param == "stored" else zipfile.ZIP_DEFLATED
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    write_zip(tmp_path / "raw.zip", ((p.relative_to(folder).as_posix(), p) for p in paths), compression=kind)
    lead_to(tmp_path / "raw.zip", tmp_path / "packed")
    return tmp_path / "packed"


class TestReading:
    def test_files_and_tables(self, raw: Path) -> None:
        assert read_raw(raw / "train.csv") == TABLE.to_csv(index=False).encode()
        pd.testing.assert_frame_equal(read_csv(raw / "train.csv"), TABLE)
        assert [len(part) for part in read_csv(raw / "train.csv", chunksize=2)] == [2, 1]
        pd.testing.assert_frame_equal(read_parquet(raw / "train.parquet"), TABLE)
        assert read_array(raw / "rows.npy").sum() == 1770 and array_shape(raw / "rows.npy") == (20, 3)
        with open_raw(raw / "train/x/3.png") as file:
            assert file.read() == PICTURES["train/x/3.png"]

    @pytest.mark.parametrize("pattern", ["**/*", "*", "*.csv", "train/*", "train/*/1?.png", "*/x/*.png", "**/3.png"])
    def test_lists_are_those_of_glob(self, raw: Path, pattern: str, tmp_path: Path) -> None:
        found = list_raw(raw, pattern)
        there = sorted(path for path in (tmp_path / "raw").glob(pattern) if path.is_file())
        assert [path.relative_to(raw) for path in found] == [path.relative_to(tmp_path / "raw") for path in there]
        assert [p.name for p in list_raw(raw / "train" / "x", "1?.png")] == [f"{n}.png" for n in range(10, 20)]
        assert list_raw(raw / "tra") == [] == list_raw(raw / "train.csv" / "x")

    def test_what_is_missing_is_named(self, raw: Path, tmp_path: Path) -> None:
        absent = raw / "train" / "absent.csv"
        for read in (open_raw, read_raw, read_csv):
            with pytest.raises(FileNotFoundError) as caught:
                read(absent)
            assert caught.value.filename == str(absent) or caught.value.filename == absent
        with pytest.raises(DataError, match=r"absent\.csv is missing"):
            link(absent, tmp_path / "x")
        with pytest.raises(DataError, match="missing"):
            read_parquet(absent)
        with pytest.raises(DataError, match="missing"), open_zip(absent):
            pass
        with pytest.raises(DataError, match="missing"):
            tar_names(absent)
        with pytest.raises(DataError, match="missing"):
            extract_7z(absent, tmp_path)
        assert is_raw_file(raw / "train.csv") and not is_raw_file(absent) and not is_raw_file(raw / "train")

    def test_a_file_of_the_disk_for_readers_that_need_one(self, raw: Path) -> None:
        before = sorted(raw.iterdir())
        with local_file(raw / "train.csv") as path:
            assert path.read_bytes() == TABLE.to_csv(index=False).encode()
        assert sorted(raw.iterdir()) == before


class TestPlacing:
    def test_links_and_copies(self, raw: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        link(raw / "train.csv", out / "deep" / "train.csv")
        assert link_tree(raw / "train" / "x", out / "x") == 20
        assert link_named(raw / "train" / "y", out, [f"{n}.png" for n in range(20)]) == 20
        pair = raw / "train/x/9.png"
        assert link_all([(pair, out / "one"), (pair, out / "two")]) == 2
        copy(pair, out / "three")
        assert (out / "one").stat().st_ino == (out / "two").stat().st_ino != (out / "three").stat().st_ino
        assert {(out / name).read_bytes() for name in ("one", "two", "three", "x/9.png")} == {PICTURES["train/x/9.png"]}
        assert all((out / f"{n}.png").read_bytes() == PICTURES[f"train/y/{n}.png"] for n in range(20))
        with pytest.raises(DataError, match="missing or empty"):
            link_tree(raw / "none", out / "none")
        with pytest.raises((FileExistsError, DataError)):
            link(pair, out / "one")

    def test_names_with_needless_dots(self, raw: Path, tmp_path: Path) -> None:
        assert link_named(raw, tmp_path / "out", ["./train/x/3.png", "train//y/../y/4.png"]) == 2
        assert (tmp_path / "out" / "train" / "x" / "3.png").read_bytes() == PICTURES["train/x/3.png"]
        assert read_raw(raw / "train" / "." / "x" / ".." / "y" / "5.png") == PICTURES["train/y/5.png"]

    def test_many_are_placed_in_parts(self, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mlebench.data.files._AT_ONCE", 7)
        names = list(PICTURES)
        random.Random(0).shuffle(names)
        assert link_named(raw, tmp_path / "out", names) == 40
        assert {name: (tmp_path / "out" / name).read_bytes() for name in names} == PICTURES


class TestArchivesWithin:
    def test_every_kind_is_read_where_it_lies(self, raw: Path, tmp_path: Path) -> None:
        names = sorted(PICTURES, reverse=True)
        assert list(read_members(raw / "pictures.zip", names)) == [(name, PICTURES[name]) for name in names]
        with open_member(raw / "pictures.zip", names[5]) as member:
            assert member.read() == PICTURES[names[5]]
        assert extract_zip(raw / "pictures.zip", tmp_path / "out", workers=4) == 40
        assert {name: (tmp_path / "out" / name).read_bytes() for name in names} == PICTURES
        for tar in ("pictures.tar", "pictures.tar.gz"):
            assert dict(read_tar(raw / tar)) == PICTURES and tar_names(raw / tar) == list(PICTURES)
        assert extract_7z(raw / "pictures.7z", tmp_path / "seven") == 3
        link(raw / "pictures.zip", tmp_path / "whole.zip")
        assert dict(read_members(tmp_path / "whole.zip", PICTURES)) == PICTURES

    @pytest.mark.parametrize("size", [1500, 41_000])
    def test_files_of_a_nested_zip_in_any_order_cost_no_more_disk_than_is_still_to_come(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
    ) -> None:
        monkeypatch.setattr(nested, "_MOST_HELD", 0)
        contents = {f"{number:05d}": os.urandom(size) for number in range(8_000_000 // size)}
        some = len(contents) * 3 // 4
        (tmp_path / "raw").mkdir()
        write_zip(tmp_path / "raw" / "inner.zip", contents.items(), compression=zipfile.ZIP_STORED)
        zip_folder(tmp_path / "raw", tmp_path / "raw.zip")
        lead_to(tmp_path / "raw.zip", tmp_path / "packed")
        names = list(contents)
        random.Random(0).shuffle(names)
        blocks = []
        with monkeypatch.context() as patch:
            made = tempfile.TemporaryFile
            files = []
            patch.setattr(tempfile, "TemporaryFile", lambda **options: files.append(made(**options)) or files[-1])
            for part in (names[:some], names[some:]):
                for name, content in read_members(tmp_path / "packed" / "inner.zip", part, last_time=True):
                    assert content == contents[name]
                    if files:
                        blocks.append(os.fstat(files[0].fileno()).st_blocks * 512)
        assert len(files) == 1 and [path.name for path in (tmp_path / "packed").iterdir()] == [ARCHIVE]
        assert blocks[0] > 6_000_000 and blocks[-1] < 800_000

    def test_a_table_read_many_times_from_its_start_stays_packed(self, raw: Path, monkeypatch) -> None:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: pytest.fail("it was unpacked"))
        for _ in range(9):
            assert len(read_csv(raw / "train.csv")) == 3
            assert sum(len(content) for _, content in read_tar(raw / "pictures.tar")) == 2660


class TestDamage:
    @pytest.fixture
    def deflated(self, tmp_path: Path) -> Path:
        (tmp_path / "raw").mkdir()
        pd.DataFrame({"a": np.random.default_rng(0).normal(size=30_000)}).to_csv(tmp_path / "raw" / "t.csv")
        zip_folder(tmp_path / "raw", tmp_path / "raw.zip")
        return tmp_path / "raw.zip"

    def test_a_wrong_byte_of_a_stored_table_never_passes_for_data(self, tmp_path: Path) -> None:
        content = b"a,b\n" + b"1,2\n" * 400_000
        write_zip(tmp_path / "raw.zip", [("t.csv", content)], compression=zipfile.ZIP_STORED)
        damaged = bytearray((tmp_path / "raw.zip").read_bytes())
        damaged[800_000] ^= 1
        (tmp_path / "raw.zip").write_bytes(damaged)
        lead_to(tmp_path / "raw.zip", folder := tmp_path / "packed")
        for _ in range(2):
            with pytest.raises(zipfile.BadZipFile, match="check sum"):
                read_csv(folder / "t.csv")
            with pytest.raises(zipfile.BadZipFile, match="check sum"):
                copy(folder / "t.csv", tmp_path / os.urandom(4).hex())

    @pytest.mark.parametrize("change", ["name", "size", "overlap"])
    def test_stored_members_are_checked_as_others_are(self, tmp_path: Path, change: str) -> None:
        write_zip(tmp_path / "a.zip", [("one", b"1234"), ("two", b"SECRET")], compression=zipfile.ZIP_STORED)
        content = bytearray((tmp_path / "a.zip").read_bytes())
        first, directory = content.index(b"PK\3\4"), content.index(b"PK\1\2")
        if change == "name":
            content[first + 30 : first + 33] = b"two"
        elif change == "size":
            content[directory + 24 : directory + 28] = struct.pack("<I", 45)
        else:
            content[directory + 20 : directory + 28] = struct.pack("<II", 45, 45)
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises((zipfile.BadZipFile, DataError), match=r"name|large|overlaps"):
            lead_to(tmp_path / "a.zip", tmp_path / "packed")
            read_raw(tmp_path / "packed" / "one")

    @pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_rare_compressions_are_refused_since_they_unpack_without_bounds(self, tmp_path: Path, kind: int) -> None:
        write_zip(tmp_path / "inner.zip", [("t.csv", bytes(100_000))], compression=kind)
        told = rf"inner\.zip holds 't\.csv', packed in a way .*method {kind}"
        with pytest.raises(DataError, match=told):
            lead_to(tmp_path / "inner.zip", tmp_path / "refused")
        write_zip(tmp_path / "a.zip", [("inner.zip", tmp_path / "inner.zip")])
        lead_to(tmp_path / "a.zip", raw := tmp_path / "packed")
        for archive in (tmp_path / "inner.zip", raw / "inner.zip"):
            with pytest.raises(DataError, match=told):
                extract_zip(archive, tmp_path / "out")
            with pytest.raises(DataError, match=told):
                list(read_members(archive, ["t.csv"]))
            with pytest.raises(DataError, match=told), open_member(archive):
                pass
        assert not (tmp_path / "out").exists()

    def test_a_reader_outlives_the_zip_it_reads(self, deflated: Path, tmp_path: Path) -> None:
        lead_to(deflated, tmp_path / "packed")
        with open_raw(tmp_path / "packed" / "t.csv") as file:
            start = file.read(10)
            raw_files.forget()
            deflated.unlink()
            rest = file.read()
        assert start + rest == (tmp_path / "raw" / "t.csv").read_bytes()

    def test_a_wrong_byte_never_passes_for_data(self, deflated: Path, tmp_path: Path) -> None:
        whole = deflated.read_bytes()
        for number, place in enumerate(range(100, 200_000, 40_000)):
            damaged = bytearray(whole)
            damaged[place] ^= 0x55
            deflated.write_bytes(damaged)
            lead_to(deflated, folder := tmp_path / str(number))
            with pytest.raises((*archive_rules.DAMAGE, pd.errors.ParserError)):
                read_csv(folder / "t.csv")
            with pytest.raises(DataError):
                link(folder / "t.csv", tmp_path / f"{number}.csv")

    @pytest.mark.parametrize("claimed", [10, 10_000_000])
    def test_a_member_that_lies_about_its_size(self, deflated: Path, tmp_path: Path, claimed: int) -> None:
        content = bytearray(deflated.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = content.index(signature) + offset
            content[place : place + 4] = struct.pack("<I", claimed)
        deflated.write_bytes(content)
        lead_to(deflated, tmp_path / "packed")
        with pytest.raises(archive_rules.DAMAGE):
            read_raw(tmp_path / "packed" / "t.csv")

    @pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil"])
    def test_a_zip_that_would_escape_is_refused_as_a_whole(self, tmp_path: Path, name: str) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            out.writestr(info, b"x")
        with pytest.raises(DataError, match="points outside"):
            lead_to(tmp_path / "a.zip", tmp_path / "packed")

    def test_links_bombs_and_doubles_are_refused_as_a_whole(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(archive_rules, "ALLOWED_EXPANSION", 1000)
        monkeypatch.setattr(archive_rules, "MAX_RATIO", 10)
        kinds = {
            "no regular file": ("link", b"/etc/passwd", (stat.S_IFLNK | 0o777) << 16),
            "bomb": ("x", bytes(9999), 0),
        }
        for number, (message, (name, content, attributes)) in enumerate(kinds.items()):
            with zipfile.ZipFile(tmp_path / f"{number}.zip", "w", zipfile.ZIP_DEFLATED) as out:
                info = zipfile.ZipInfo(name)
                info.external_attr = attributes
                info.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(info, content)
            with pytest.raises(DataError, match=message):
                lead_to(tmp_path / f"{number}.zip", tmp_path / f"packed{number}")
        with zipfile.ZipFile(tmp_path / "two.zip", "w") as out, pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("x", b"1")
            out.writestr("x", b"2")
        with pytest.raises(DataError, match="more than once"):
            lead_to(tmp_path / "two.zip", tmp_path / "packed-two")

    def test_a_zip_that_is_none_or_went_away(self, tmp_path: Path, deflated: Path) -> None:
        (tmp_path / "no.zip").write_bytes(b"this is no archive")
        with pytest.raises(DataError, match="no readable zip"):
            lead_to(tmp_path / "no.zip", tmp_path / "packed-no")
        lead_to(deflated, tmp_path / "packed")
        raw_files.forget()
        deflated.unlink()
        with pytest.raises(DataError, match=r"raw\.zip is missing"):
            read_raw(tmp_path / "packed" / "t.csv")


class TestPreparing:
    """A competition from its zip: the same data as from a folder, and nothing is unpacked beside it."""

    ID = "new-york-city-taxi-fare-prediction"

    @pytest.fixture
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("taxi") / "raw"
        folder.mkdir()
        Registry().get(self.ID).make_raw(folder)
        zip_folder(folder, folder.parent / "taxi.zip")
        return folder

    def hashes(self, data: DataDir) -> dict[str, str]:
        made = read_manifest(data.paths(self.ID).manifest)
        assert made is not None
        return {name: entry.sha256 for name, entry in made.files.items()}

    def test_from_the_zip_as_from_the_folder(self, folder: Path, tmp_path: Path, monkeypatch) -> None:
        seen: list[str] = []
        prepare = Competition.prepare

        def noted(self: Competition, raw: Path, *others: Path, **options: str) -> None:
            prepare(self, raw, *others, **options)
            seen.extend(sorted(path.name for path in raw.iterdir()))

        monkeypatch.setattr(Competition, "prepare", noted)
        competition, archive = Registry().get(self.ID), folder.parent / "taxi.zip"
        from_folder, from_zip, kept = (DataDir(tmp_path / name) for name in "abc")
        prepare_competition(competition, from_folder, SourceRequest(str(folder)))
        seen.clear()
        prepare_competition(competition, from_zip, SourceRequest(str(archive)))
        assert seen == [ARCHIVE]
        assert self.hashes(from_zip) == self.hashes(from_folder)
        assert archive.is_file()
        assert sorted(path.name for path in from_zip.paths(self.ID).home.iterdir()) == [".lock", "prepared"]
        prepare_competition(competition, kept, SourceRequest(str(archive)), keep_raw=True)
        raw = kept.paths(self.ID).raw
        assert {p.name: p.read_bytes() for p in raw.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}

    def test_sums_taken_while_unpacking_hold_only_for_what_stays_as_it_was(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        competition = Registry().get("aptos2019-blindness-detection")
        (tmp_path / "raw").mkdir()
        competition.make_raw(tmp_path / "raw")
        zip_folder(tmp_path / "raw", tmp_path / "raw.zip")
        prepare, read = Competition.prepare, []

        def then_changed(self: Competition, raw: Path, public: Path, *others: Path, **options: str) -> None:
            prepare(self, raw, public, *others, **options)
            first, second, third, *_ = sorted((public / "train_images").iterdir())
            with first.open("ab") as file:
                file.write(b"more")
            second.unlink()
            third.rename(second)

        monkeypatch.setattr(Competition, "prepare", then_changed)
        real = manifest._sha256
        monkeypatch.setattr(manifest, "_sha256", lambda path, size: read.append(Path(path).name) or real(path, size))
        prepare_competition(competition, data := DataDir(tmp_path / "data"), SourceRequest(str(tmp_path / "raw.zip")))
        assert verify_competition(competition, data).intact
        pictures = sorted(path.name for path in (data.paths(competition.id).public / "train_images").iterdir())
        assert [name for name in read if name.endswith(".png")] == [pictures[0]]

    def test_the_md5_of_the_zip_stands_in_the_manifest(self, folder: Path, tmp_path: Path) -> None:
        import hashlib

        archive = folder.parent / "taxi.zip"
        prepare_competition(Registry().get(self.ID), data := DataDir(tmp_path), SourceRequest(str(archive)))
        made = read_manifest(data.paths(self.ID).manifest)
        assert made is not None
        assert made.source_detail == f"{archive}, zip md5 {hashlib.md5(archive.read_bytes()).hexdigest()}"

    def test_what_the_zip_lacks_is_named_with_the_zip(self, folder: Path, tmp_path: Path) -> None:
        write_zip(tmp_path / "some.zip", [(p.name, p) for p in folder.iterdir() if p.name != "train.csv"])
        with pytest.raises(DataError, match=r"lacks .*some\.zip/train\.csv") as told:
            prepare_competition(
                Registry().get(self.ID), DataDir(tmp_path / "d"), SourceRequest(str(tmp_path / "some.zip"))
            )
        assert ".staging" not in str(told.value)

    def test_a_recipe_that_reads_by_itself_gets_everything_unpacked(self, folder: Path, tmp_path: Path) -> None:
        competition = Registry().get(self.ID)
        competition = Competition(competition.folder, competition.facts.model_copy(deep=True))
        object.__setattr__(competition.facts.data, "packed", False)
        seen: list[str] = []
        competition.prepare = lambda raw, *_, **__: seen.extend(p.name for p in raw.iterdir())  # type: ignore[method-assign]
        with pytest.raises(DataError, match="did not write"):
            prepare_competition(competition, DataDir(tmp_path), SourceRequest(str(folder.parent / "taxi.zip")))
        assert "train.csv" in seen and ARCHIVE not in seen

    def test_the_space_asked_for_is_what_is_made(self, folder: Path, tmp_path: Path) -> None:
        need = space_needed(
            Registry().get(self.ID), DataDir(tmp_path).paths(self.ID), SourceRequest(str(folder.parent / "taxi.zip"))
        )
        assert need is not None and need.passing == 0
        assert need.stays == sum(path.stat().st_size for path in folder.iterdir())
