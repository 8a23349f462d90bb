"""Archives are hostile when read and reproducible when written."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.data import archive_rules, zip_members
from mlebench.data.archive_rules import safe_member
from mlebench.data.archives import (
    extract_tar,
    extract_zip,
    open_member,
    read_members,
    read_tar,
    write_tar,
    write_zip,
    zip_folder,
)
from mlebench.data.raw_files import lead_to
from mlebench.errors import DataError

ESCAPES = ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "\\evil", "C:\\evil", "C:/evil", "a/..", ".."]


def raw_zip(path: Path, members: dict[str, bytes], **attributes: int) -> Path:
    """A zip as a stranger writes it, with names as they come and any ZipInfo attributes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # past the constructor, which would clean the name
            info.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            out.writestr(info, content)
    return path


def raw_tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> Path:
    """A tar of hand-made members."""
    with tarfile.open(path, mode) as out:
        for info, content in members:
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def everything_below(folder: Path) -> list[str]:
    """Relative paths of whatever lies below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class TestPaths:
    @pytest.mark.parametrize("name", [*ESCAPES, "nul\0byte"])
    def test_names_that_leave_the_folder_are_refused(self, name: str) -> None:
        with pytest.raises(DataError, match="points outside"):
            safe_member(name)

    @given(st.text(st.sampled_from("./\\:aC\0 "), max_size=12))
    def test_whatever_is_accepted_stays_inside(self, name: str) -> None:
        try:
            path = safe_member(name)
        except DataError:
            return
        inside = os.path.normpath(os.path.join("/folder", path))
        assert inside == "/folder" or inside.startswith("/folder/")

    @pytest.mark.parametrize("name", ESCAPES)
    def test_zip_writes_nothing_outside(self, tmp_path: Path, name: str) -> None:
        archive = raw_zip(tmp_path / "a.zip", {name: b"x"})
        with pytest.raises(DataError):
            extract_zip(archive, tmp_path / "deep" / "out")
        assert not [path for path in everything_below(tmp_path) if "evil" in path]

    @pytest.mark.parametrize("name", ESCAPES)
    def test_tar_writes_nothing_outside(self, tmp_path: Path, name: str) -> None:
        archive = raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo(name), b"x")])
        with pytest.raises(DataError):
            extract_tar(archive, tmp_path / "deep" / "out")
        assert not [path for path in everything_below(tmp_path) if "evil" in path]


class TestKinds:
    def test_a_symlink_in_a_zip_is_refused(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"link": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16)
        for read in (lambda: extract_zip(archive, tmp_path / "out"), lambda: list(read_members(archive, ["link"]))):
            with pytest.raises(DataError, match="no regular file"):
                read()
        assert everything_below(tmp_path) == ["a.zip"]

    @pytest.mark.parametrize(
        "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
    )
    def test_links_and_devices_in_a_tar_are_refused(self, tmp_path: Path, kind: bytes) -> None:
        info = tarfile.TarInfo("thing")
        info.type, info.linkname = kind, "/etc/passwd"
        with pytest.raises(DataError, match="no regular file"):
            extract_tar(raw_tar(tmp_path / "a.tar", [(info, b"")]), tmp_path / "out")
        assert everything_below(tmp_path) == ["a.tar"]

    def test_a_file_behind_a_link_of_the_same_archive_is_never_reached(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("folder")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive = raw_tar(tmp_path / "a.tar", [(info, b""), (tarfile.TarInfo("folder/evil"), b"x")])
        with pytest.raises(DataError):
            extract_tar(archive, tmp_path / "out")
        assert not (tmp_path / "evil").exists()

    def test_an_encrypted_member_is_refused(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"secret": b"x"})
        content = bytearray(archive.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.index(signature) + offset] |= 1
        archive.write_bytes(content)
        with pytest.raises(DataError, match="encrypted"):
            extract_zip(archive, tmp_path / "out")
        with pytest.raises(DataError, match="encrypted"), open_member(archive):
            pass

    def test_folders_are_not_counted_as_files(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
            out.mkdir("folder")
            out.writestr("folder/file", "x")
        assert extract_zip(tmp_path / "a.zip", tmp_path / "out") == 1
        info = tarfile.TarInfo("folder")
        info.type = tarfile.DIRTYPE
        archive = raw_tar(tmp_path / "a.tar", [(info, b""), (tarfile.TarInfo("folder/file"), b"x")])
        assert extract_tar(archive, tmp_path / "other") == 1

    def test_an_existing_file_is_never_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "file").write_text("mine")
        with pytest.raises(DataError, match="more than once"):
            extract_zip(raw_zip(tmp_path / "a.zip", {"file": b"theirs"}), tmp_path / "out")
        with pytest.raises(DataError, match="more than once"):
            extract_tar(raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo("file"), b"theirs")]), tmp_path / "out")
        assert (tmp_path / "out" / "file").read_text() == "mine"


class TestSizes:
    @pytest.fixture(autouse=True)
    def _small_bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bombs of a size that a test can afford."""
        monkeypatch.setattr(archive_rules, "ALLOWED_EXPANSION", 100_000)
        monkeypatch.setattr(archive_rules, "MAX_RATIO", 100)

    def test_a_zip_bomb_is_refused_before_it_unpacks(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"bomb": bytes(1_000_000)})
        for read in (lambda: extract_zip(archive, tmp_path / "out"), lambda: list(read_members(archive, ["bomb"]))):
            with pytest.raises(DataError, match="bomb"):
                read()
        assert everything_below(tmp_path) == ["a.zip"]

    def test_a_bomb_in_many_small_pieces_is_refused(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {f"piece{i}": bytes(90_000) for i in range(40)})
        assert archive.stat().st_size * 100 < 40 * 90_000
        with pytest.raises(DataError, match="bomb"):
            extract_zip(archive, tmp_path / "out")
        with pytest.raises(DataError, match="bomb"):
            next(read_members(archive, ["piece0"]))
        with pytest.raises(DataError, match="bomb"), open_member(archive, "piece0"):
            pass

    @pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
    def test_a_tar_bomb_is_refused(self, tmp_path: Path, mode: str) -> None:
        members = [(tarfile.TarInfo(f"piece{i}"), bytes(90_000)) for i in range(40)]
        archive = raw_tar(tmp_path / "a.tar", members, mode)
        with pytest.raises(DataError, match="bomb"):
            extract_tar(archive, tmp_path / "out")
        limit = max(100_000, archive.stat().st_size * 100)
        assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= limit < 40 * 90_000

    def test_ordinary_expansion_is_no_bomb(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"small": bytes(90_000), "random": os.urandom(200_000)})
        assert extract_zip(archive, tmp_path / "out") == 2

    @pytest.mark.parametrize("claimed", [1, 10, 5000])
    def test_a_member_that_lies_about_its_size_gives_no_file_of_another_size(
        self, tmp_path: Path, claimed: int
    ) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"liar": b"x" * 3000})
        content = bytearray(archive.read_bytes())
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = content.index(signature) + offset
            content[place : place + 4] = struct.pack("<I", claimed)
        archive.write_bytes(content)
        with pytest.raises(DataError):
            extract_zip(archive, tmp_path / "out")
        with pytest.raises(DataError):
            list(read_members(archive, ["liar"]))


class TestDamage:
    @pytest.mark.parametrize("content", [b"", b"PK", b"this is no archive", bytes(2000)])
    def test_what_is_no_archive_is_a_data_error(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.zip").write_bytes(content)
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(DataError, match="no readable zip"):
            extract_zip(tmp_path / "a.zip", tmp_path / "out")
        if content != bytes(2000):  # zeros are an empty tar
            with pytest.raises(DataError, match="no readable tar"):
                extract_tar(tmp_path / "a.tar", tmp_path / "out")

    def test_a_missing_archive_is_a_data_error(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="missing"):
            extract_zip(tmp_path / "a.zip", tmp_path)
        with pytest.raises(DataError, match="missing"):
            extract_tar(tmp_path / "a.tar", tmp_path)

    @given(st.integers(0, 10_000), st.integers(1, 255))
    def test_a_flipped_byte_never_gives_a_wrong_file(
        self, tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
    ) -> None:
        folder = tmp_path_factory.mktemp("flipped")
        wanted = b"some text, " * 20 + bytes(range(256))
        content = bytearray(raw_zip(folder / "a.zip", {"name": wanted}).read_bytes())
        content[place % len(content)] ^= flip
        (folder / "a.zip").write_bytes(content)
        try:
            extract_zip(folder / "a.zip", folder / "out")
        except DataError:
            return
        assert all(path.read_bytes() == wanted for path in (folder / "out").rglob("*") if path.is_file())

    @pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
    @pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
    def test_half_a_tar_is_a_data_error(self, tmp_path: Path, mode: str, kept: float) -> None:
        archive = raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo("file"), os.urandom(40_000))], mode)
        whole = archive.read_bytes()
        archive.write_bytes(whole[: int(len(whole) * kept)])
        if mode == "w" and kept == 0.9:
            archive.write_bytes(whole[:30_000])
        with pytest.raises(DataError, match="no readable tar"):
            extract_tar(archive, tmp_path / "out")

    def test_a_spoilt_gzip_around_a_tar_is_a_data_error(self, tmp_path: Path) -> None:
        plain = raw_tar(tmp_path / "plain.tar", [(tarfile.TarInfo("file"), os.urandom(40_000))]).read_bytes()
        content = bytearray(gzip.compress(plain))
        content[len(content) // 2] ^= 0xFF
        (tmp_path / "a.tar.gz").write_bytes(content)
        with pytest.raises(DataError):
            extract_tar(tmp_path / "a.tar.gz", tmp_path / "out")


class TestReading:
    def test_only_the_named_members_are_extracted(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"one": b"1", "two": b"2", "deep/three": b"3"})
        assert extract_zip(archive, tmp_path / "out", members=["two", "deep/three"]) == 2
        assert everything_below(tmp_path / "out") == ["deep", "deep/three", "two"]

    def test_named_members_that_are_absent_are_told(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"one": b"1", "two": b"2"})
        wanted = ["two", *(f"{number}.png" for number in range(5))]
        with pytest.raises(DataError, match=r"lacks 5 of the files .* \(0\.png, 1\.png, 2\.png, \.\.\.\)"):
            extract_zip(archive, tmp_path / "out", members=wanted)
        with pytest.raises(DataError, match=r"lacks 1 of the files .* \(three\)"):
            extract_zip(archive, tmp_path / "out", members=["three"])
        assert not (tmp_path / "out").exists()

    def test_an_empty_zip_is_told(self, tmp_path: Path) -> None:
        write_zip(tmp_path / "a.zip", [])
        for read in (
            lambda: extract_zip(tmp_path / "a.zip", tmp_path),
            lambda: lead_to(tmp_path / "a.zip", tmp_path / "x"),
        ):
            with pytest.raises(DataError, match=r"a\.zip is empty"):
                read()
        assert extract_zip(tmp_path / "a.zip", tmp_path, members=[]) == 0
        assert list(read_members(tmp_path / "a.zip", [])) == []
        with pytest.raises(DataError, match="holds 0"), open_member(tmp_path / "a.zip"):
            pass

    def test_named_members_are_read_in_the_order_asked_for(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"one": b"1", "two": b"2"})
        assert list(read_members(archive, ["two", "one", "two"])) == [("two", b"2"), ("one", b"1"), ("two", b"2")]
        with pytest.raises(DataError, match="holds no 'three'"):
            list(read_members(archive, ["three"]))

    def test_one_member_is_streamed(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"one": b"1", "two": b"2"})
        with open_member(archive, "two") as stream:
            assert stream.read() == b"2"
        with pytest.raises(DataError, match="exactly one"), open_member(archive):
            pass
        with pytest.raises(DataError, match="holds no"), open_member(archive, "three"):
            pass
        with open_member(raw_zip(tmp_path / "b.zip", {"only": b"3"})) as stream:
            assert stream.read() == b"3"

    @pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
    def test_tars_of_every_compression_are_extracted(self, tmp_path: Path, mode: str) -> None:
        archive = raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo("deep/file"), b"content")], mode)
        assert extract_tar(archive, tmp_path / "out") == 1
        assert (tmp_path / "out" / "deep" / "file").read_bytes() == b"content"


class TestWriting:
    def test_the_same_input_gives_the_same_bytes_at_any_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_bytes(b"content " * 100)
        write_zip(tmp_path / "one.zip", [("a", tmp_path / "file"), ("b", b"bytes")])
        monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
        (tmp_path / "file").chmod(0o600)
        os.utime(tmp_path / "file", (1, 1))
        write_zip(tmp_path / "two.zip", [("a", tmp_path / "file"), ("b", b"bytes")])
        assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()

    def test_a_folder_is_zipped_sorted_whatever_its_order_on_disk(self, tmp_path: Path) -> None:
        names = ["b.txt", "a/z.txt", "a.txt", "10", "9", "a/b/c"]
        for folder, order in (("one", names), ("two", names[::-1])):
            for name in order:
                (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / folder / name).write_text(name)
            assert zip_folder(tmp_path / folder, tmp_path / f"{folder}.zip", prefix="top/") == len(names)
        assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
        with zipfile.ZipFile(tmp_path / "one.zip") as opened:
            assert sorted(opened.namelist()) == sorted(f"top/{name}" for name in names)
            assert opened.read("top/a/b/c") == b"a/b/c"

    @given(st.dictionaries(st.text("abc/é1", min_size=1).filter(lambda n: "//" not in n), st.binary(max_size=300)))
    def test_what_is_written_is_read_back(
        self, tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]
    ) -> None:
        members = {name.strip("/") or "x": content for name, content in members.items()}
        archive = tmp_path_factory.mktemp("zip") / "a.zip"
        assert write_zip(archive, members.items()) == len(members)
        assert dict(read_members(archive, members)) == members

    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_member_may_be_written_as_it_is_made(self, tmp_path: Path, compression: int) -> None:
        rows = [b"%d,%d\n" % (n, n * n) for n in range(1000)]
        write_zip(
            tmp_path / "a.zip", [("a.csv", lambda out: out.writelines(rows)), ("b", b"2")], compression=compression
        )
        assert dict(read_members(tmp_path / "a.zip", ["a.csv", "b"])) == {"a.csv": b"".join(rows), "b": b"2"}

    def test_an_existing_archive_is_not_written_over(self, tmp_path: Path) -> None:
        write_zip(tmp_path / "a.zip", [("a", b"1")])
        with pytest.raises(FileExistsError):
            write_zip(tmp_path / "a.zip", [("a", b"2")])

    def test_members_can_be_read_by_everybody(self, tmp_path: Path) -> None:
        write_zip(tmp_path / "a.zip", [("a", b"1")])
        with zipfile.ZipFile(tmp_path / "a.zip") as opened:
            assert opened.getinfo("a").external_attr >> 16 == stat.S_IFREG | 0o644


class TestTar:
    @pytest.mark.parametrize("compressed", [False, True])
    def test_what_is_written_is_read_back(self, tmp_path: Path, compressed: bool) -> None:
        (tmp_path / "file").write_bytes(os.urandom(30_000))
        members = [("b/c.jpg", tmp_path / "file"), ("a", b"bytes"), ("x/" + "y" * 120, b"")]
        archive = tmp_path / "a.tar.gz"
        assert write_tar(archive, members, compressed=compressed) == 3
        with tarfile.open(archive, "r:gz" if compressed else "r:") as opened:
            assert opened.getnames() == [name for name, _ in members]
        read = list(read_tar(archive))
        assert read == [("b/c.jpg", (tmp_path / "file").read_bytes()), ("a", b"bytes"), ("x/" + "y" * 120, b"")]

    @pytest.mark.parametrize("compressed", [False, True])
    def test_the_same_bytes_at_any_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressed: bool
    ) -> None:
        (tmp_path / "file").write_bytes(b"content")
        write_tar(tmp_path / "one", [("a", tmp_path / "file")], compressed=compressed)
        monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
        os.utime(tmp_path / "file", (1, 1))
        write_tar(tmp_path / "two", [("a", tmp_path / "file")], compressed=compressed)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_dots_before_a_name_are_dropped(self, tmp_path: Path) -> None:
        archive = raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo("./top/file"), b"x")])
        assert list(read_tar(archive)) == [("top/file", b"x")]

    @pytest.mark.parametrize("name", ESCAPES)
    def test_names_that_leave_the_archive_are_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataError):
            list(read_tar(raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo(name), b"x")])))

    @pytest.mark.parametrize("mode", ["w", "w:gz"])
    def test_half_a_tar_is_a_data_error(self, tmp_path: Path, mode: str) -> None:
        archive = raw_tar(tmp_path / "a.tar", [(tarfile.TarInfo("file"), os.urandom(40_000))], mode)
        archive.write_bytes(archive.read_bytes()[:20_000])
        with pytest.raises(DataError, match="no readable tar"):
            list(read_tar(archive))


class TestParallel:
    def test_any_number_of_threads_writes_the_same_files(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(zip_members, "MAX_IN_MEMORY", 3000)  # so that some members are streamed
        contents = {f"deep/{n % 7}/{n:03d}": bytes([n % 251]) * (n * 11) for n in range(400)}
        archive = raw_zip(tmp_path / "a.zip", contents)
        for workers in (1, 2, 8):
            out = tmp_path / f"out{workers}"
            assert extract_zip(archive, out, workers=workers) == 400
            assert {name: (out / name).read_bytes() for name in contents} == contents

    def test_the_first_error_ends_the_work(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {f"{n:04d}": b"x" * 50 for n in range(5000)})
        damaged = bytearray(archive.read_bytes())
        with zipfile.ZipFile(archive) as opened:
            damaged[opened.getinfo("0000").header_offset + 30 + 4] ^= 0xFF
        archive.write_bytes(damaged)
        with pytest.raises(DataError, match="fetch it again"):
            extract_zip(archive, tmp_path / "out", workers=2)
        assert len(everything_below(tmp_path / "out")) < 4000

    @given(position=st.integers(0, 1 << 20), bit=st.integers(0, 7))
    def test_one_flipped_bit_is_told_or_harmless(self, tmp_path_factory, position: int, bit: int) -> None:
        folder = tmp_path_factory.mktemp("flip")
        contents = {"a/one.txt": b"first " * 40, "two.txt": b"second " * 30, "three": b""}
        archive = raw_zip(folder / "a.zip", contents)
        flipped = bytearray(archive.read_bytes())
        flipped[position % len(flipped)] ^= 1 << bit
        archive.write_bytes(flipped)
        try:
            extract_zip(archive, folder / "out")
        except DataError:
            return
        for name in everything_below(folder / "out"):
            if (folder / "out" / name).is_file() and name in contents:
                assert (folder / "out" / name).read_bytes() == contents[name]

    def test_members_that_share_bytes_are_refused(self, tmp_path: Path) -> None:
        archive = raw_zip(tmp_path / "a.zip", {"one": b"x" * 100, "two": b"y" * 100})
        content = bytearray(archive.read_bytes())
        at = content.index(b"PK\1\2")
        content[at + 20 : at + 24] = struct.pack("<I", 40)  # the compressed size of "one"
        archive.write_bytes(content)
        with pytest.raises(DataError, match="overlaps"):
            extract_zip(archive, tmp_path / "out")
        with pytest.raises(DataError, match="overlaps"):
            next(read_members(archive, ["two"]))
        with pytest.raises(DataError, match="overlaps"), open_member(archive, "two"):
            pass

    def test_a_member_that_lies_within_another_is_refused(self, tmp_path: Path) -> None:
        inner = raw_zip(tmp_path / "inner.zip", {"two": b"y" * 100}).read_bytes()
        write_zip(archive := tmp_path / "a.zip", [("one", inner), ("two", b"y")], compression=zipfile.ZIP_STORED)
        content = bytearray(archive.read_bytes())
        second = content.rindex(b"PK\1\2")
        for place in (content.index(b"PK\3\4", 4), 0):  # within the first one, and the first one itself
            content[second + 42 : second + 46] = struct.pack("<I", place)
            archive.write_bytes(content)
            with pytest.raises(DataError, match=r"overlaps|same place"):
                next(read_members(archive, ["two"]))
