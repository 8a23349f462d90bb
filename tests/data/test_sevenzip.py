"""7z archives: those of 7-Zip are read, ours are what 7-Zip reads, and bad ones are data errors."""

from __future__ import annotations

import base64
import lzma
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlebench.data import archive_rules
from mlebench.data.sevenzip import extract_7z, stream_7z, write_7z
from mlebench.errors import DataError
from mlebench.formats.sevenzip import MAX_DIRECTORY, START, make_directory, make_start, parse_directory

FILES = {"a/1.txt": b"one one one one one one one one\n", "a/b/2.txt": b"two", "a/none.txt": b""}
# Made by 7-Zip 26.02 from FILES and an empty folder: `7zz a -mtm- -mtr- <options> x.7z a`.
BY_7ZIP = {
    "lzma2": "N3q8ryccAATmdGI3cwAAAAAAAAAhAAAAAAAAAK3HpffgACIAD10AN5uIzn8DCPXkIJSaSPAgAAAAgTMHrg/Pbu6MB8hDf0Gx+v38uSIIps"
    "SplQx9OFPNcY8P1LMfImALW7s/2sUgHIo2gH0QW6AfWK8FQejD0Hg3ouuw4GvDiPLQ4+KFUjjS5KcGp1/cHUAxQyyHFwYXAQlcAAcLAQABIwMBAQVd"
    "ABAAAAyAigoBgIKvbQAA",
    "-m0=lzma": "N3q8ryccAARy4Y1KdAAAAAAAAAAhAAAAAAAAANNP7B4AN5uIzn8DCPXkIJSaSPAgAACBMweuD87ysgwHyEOAg4Fb/6yAH0e2wpcN0NL"
    "ksVzYHnj6xFYfYqfg7IhgNKIHHD6r8CCA0Rocc75F3we3rqQRZARzb+azVcvxG0LZzRlKDiJvhpgj/OBWFEJmsmU6I3zMhhcGEAEJZAAHCwEAASMDA"
    "QEFXQAQAAAMgJoKAZacwF0AAA==",
    "-mx0": "N3q8ryccAAQfdbG8fgAAAAAAAAAhAAAAAAAAADA1PO5vbmUgb25lIG9uZSBvbmUgb25lIG9uZSBvbmUgb25lCnR3bwAAgTMHrjGaUY1winhr"
    "KtylGDwbEp3cQk9Ia2ZumOtnlqBn1J+mPKZ/Jjd1SIEEFSWamPwN6ApeBnuMMdJtnmo6LNTHLCr5oJ0YEY3uqDnK3g5ZZenFrys9g/0XBiMBCVsABws"
    "BAAEjAwEBBV0AEAAADICaCgF8xj6NAAA=",
    "-ms=off": "N3q8ryccAASXHvtYeQAAAAAAAAAhAAAAAAAAACNAFd/gAB8AC10AN5uIzn8DCPVlwAAAAQACdHdvAAAAgTMHrjGZhb6ad2Io77p61dylS"
    "b+MkBZ7H5hkxslXn4EadHit7b9ok9hv7aorDqesYSamVBRyWHP/ERV/bD3VFToFLFqrDTnXpoD9vEcScvYWQFWw0BDn2JpR8GRkFwYaAQlfAAcLAQA"
    "BIwMBAQVdABAAAAyAmgoBtS7m2AAA",
    "-mhc=off": "N3q8ryccAASs1dORFwAAAAAAAACKAAAAAAAAAICCr23gACIAD10AN5uIzn8DCPXkIJSaSPAgAAEEBgABCRcABwsBAAEhIQEADCMACA0"
    "CCSAKAelanaBmisoRAAAFBg4B8A8BEBFZAGEAAABhAC8AYgAAAGEALwBmAG8AbABkAGUAcgAAAGEALwBuAG8AbgBlAC4AdAB4AHQAAABhAC8AMQAuA"
    "HQAeAB0AAAAYQAvAGIALwAyAC4AdAB4AHQAAAAAAA==",
}
LOCKED = (  # the same with a password
    "N3q8ryccAATabuxwnAAAAAAAAAAhAAAAAAAAAKDpujF+v4480SyxBXVhJHC5X/hFT8MxCSxRg/TR1V8SBfI+VAAAgTMHrg/QDrA8nzkQnJ+m1TPasi6wiT"
    "sHVPHXLUyRkfwyXmL8rBN/QtcC7z3yuHbaeakg6RZuXAGq/CUIC7/C9DU/OWSqh60yE/8sDWYPjtugKYuO7IcnqvTYGIaJQLr8ueT7vY8B+3x8ej3uNLxZ"
    "VQfqsV3zMCjw9HUXBiABCXwABwsBAAEjAwEBBV0AEAAADICqCgHzNmDwAAA="
)


def archive_of(folder: Path, encoded: str) -> Path:
    path = folder / "x.7z"
    path.write_bytes(base64.b64decode(encoded))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", BY_7ZIP)
def test_archives_of_7zip_are_read(tmp_path: Path, options: str) -> None:
    archive = archive_of(tmp_path, BY_7ZIP[options])
    assert extract_7z(archive, tmp_path / "all") == 3
    assert contents(tmp_path / "all") == FILES
    assert extract_7z(archive, tmp_path / "one", members=["a/b/2.txt"]) == 1
    assert contents(tmp_path / "one") == {"a/b/2.txt": b"two"}


def test_named_files_that_are_absent_are_told(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, BY_7ZIP["lzma2"])
    with pytest.raises(DataError, match=r"lacks 2 of the files .* \(a/3\.txt, b\)"):
        extract_7z(archive, tmp_path / "out", members=["b", "a/1.txt", "a/3.txt"])
    assert not (tmp_path / "out").exists()
    assert extract_7z(archive, tmp_path / "out", members=["a/none.txt"]) == 1


def test_a_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="packed in several steps"):
        extract_7z(archive_of(tmp_path, LOCKED), tmp_path / "out")


def test_what_is_written_is_read_again_and_always_the_same(tmp_path: Path) -> None:
    files = {"train/1.jpg": random.Random(0).randbytes(300_000), "train/ä.txt": b"x", "long": b"abc" * 1_000_000}
    (tmp_path / "on-disk").write_bytes(files["long"])
    assert write_7z(tmp_path / "a.7z", files.items()) == 3
    write_7z(tmp_path / "b.7z", [*list(files.items())[:2], ("long", tmp_path / "on-disk")])
    assert (tmp_path / "a.7z").read_bytes() == (tmp_path / "b.7z").read_bytes()
    assert extract_7z(tmp_path / "a.7z", tmp_path / "out") == 3
    assert contents(tmp_path / "out") == files


def test_one_file_alone(tmp_path: Path) -> None:
    write_7z(tmp_path / "a.7z", [("data/train.json", b"[]")])
    extract_7z(tmp_path / "a.7z", tmp_path / "out")
    assert contents(tmp_path / "out") == {"data/train.json": b"[]"}


@pytest.mark.parametrize("name", ["../out.txt", "/etc/x", "C:/x"])
def test_members_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    write_7z(tmp_path / "a.7z", [(name, b"x")])
    with pytest.raises(DataError, match="outside"):
        extract_7z(tmp_path / "a.7z", tmp_path / "out")


def test_doubles_are_refused(tmp_path: Path) -> None:
    write_7z(tmp_path / "a.7z", [("x", b"1"), ("x", b"2")])
    with pytest.raises(DataError, match="twice"):
        extract_7z(tmp_path / "a.7z", tmp_path / "out")


def test_bombs_are_refused_before_they_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_rules, "ALLOWED_EXPANSION", 1000)
    write_7z(tmp_path / "a.7z", [("x", bytes(3_000_000))])
    with pytest.raises(DataError, match="bomb"):
        extract_7z(tmp_path / "a.7z", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", BY_7ZIP)
def test_one_file_is_streamed(tmp_path: Path, options: str) -> None:
    archive = archive_of(tmp_path, BY_7ZIP[options])
    for name in ("a/b/2.txt", "a/1.txt"):
        assert b"".join(stream_7z(archive, name)) == FILES[name]
    with pytest.raises(DataError, match=r"holds no 'a/3\.txt'"):
        list(stream_7z(archive, "a/3.txt"))


def test_a_stream_is_read_no_further_than_asked(tmp_path: Path) -> None:
    write_7z(tmp_path / "a.7z", [("x", random.Random(0).randbytes(3_000_000))])
    damaged = bytearray((tmp_path / "a.7z").read_bytes())
    damaged[2_500_000] ^= 1
    (tmp_path / "a.7z").write_bytes(damaged)
    assert len(next(stream_7z(tmp_path / "a.7z", "x"))) > 1000
    with pytest.raises(DataError, match="no readable 7z"):
        list(stream_7z(tmp_path / "a.7z", "x"))


def test_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        extract_7z(tmp_path / "none.7z", tmp_path / "out")


def test_lies_about_sizes_are_found(tmp_path: Path) -> None:
    for size in (2, 4):
        directory = make_directory(["x"], [size], [zlib.crc32(b"abc")], 7)
        (tmp_path / "a.7z").write_bytes(make_start(7, directory) + b"\x01\x00\x02abc\x00" + directory)
        with pytest.raises(DataError, match="no readable 7z"):
            extract_7z(tmp_path / "a.7z", tmp_path / f"out{size}")
    directory = make_directory(["x"], [3], [zlib.crc32(b"abc")], 7)
    (tmp_path / "a.7z").write_bytes(make_start(7, directory) + b"\x01\x00\x02abc\x00" + directory)
    extract_7z(tmp_path / "a.7z", tmp_path / "out")
    assert contents(tmp_path / "out") == {"x": b"abc"}


def with_directory(folder: Path, directory: bytes) -> Path:
    """An archive of this directory alone."""
    (folder / "a.7z").write_bytes(make_start(0, directory) + directory)
    return folder / "a.7z"


@pytest.mark.parametrize("count", [1 << 21, 1 << 31, 1 << 62, (1 << 63) + 5])
def test_counts_are_not_believed(tmp_path: Path, count: int) -> None:
    number = b"\xff" + struct.pack("<Q", count)
    one = b"\x01"
    block = b"\x07\x0b" + one + b"\0\x01\0\x0c" + one + b"\0"
    for directory in (
        b"\x01\x04\x06\0" + number + b"\x0a\x01" + bytes(50),  # check sums of packed blocks
        b"\x01\x04\x06\0" + number + b"\x09" + bytes(50),  # their sizes
        b"\x01\x04\x07\x0b" + number + bytes(50),  # blocks
        b"\x01\x04" + block + b"\x08\x0d" + number + b"\x09" + bytes(50),  # files in a block
        b"\x01\x05" + number + b"\x0e\x09" + bytes(50),  # files
        b"\x01\x05\x01\x11" + number + bytes(50),  # bytes of a part
    ):
        with pytest.raises(DataError, match="no readable 7z"):
            extract_7z(with_directory(tmp_path, directory), tmp_path / "out")


@pytest.mark.parametrize("offset", [10, 1 << 50, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_places_outside_the_archive(tmp_path: Path, offset: int) -> None:
    for place, size in ((offset, 10), (0, offset)):
        rest = struct.pack("<QQI", place, size, 0)
        start = b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(rest)) + rest
        (tmp_path / "a.7z").write_bytes(start)
        with pytest.raises(DataError, match="no readable 7z"):
            extract_7z(tmp_path / "a.7z", tmp_path / "out")
    number = b"\xff" + struct.pack("<Q", offset)
    block = b"\x07\x0b\x01\0\x01\0\x0c\x01\0"
    for packs in (number + b"\x01\x09\x01\0", b"\0\x01\x09" + number + b"\0"):
        directory = b"\x01\x04\x06" + packs + block + b"\0\x05\x01\x11\x05\0x\0\0\0\0\0"
        with pytest.raises(DataError, match="no readable 7z"):
            extract_7z(with_directory(tmp_path, directory), tmp_path / "out")


def test_a_directory_that_unpacks_to_very_much(tmp_path: Path) -> None:
    size = MAX_DIRECTORY + 1
    packed = lzma.compress(bytes(size), lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    length, whole = (b"\xf0" + struct.pack("<I", number) for number in (len(packed), size))
    coder = b"\x07\x0b\x01\0\x01\x21\x21\x01\x10\x0c"
    directory = b"\x17\x06\0\x01\x09" + length + b"\0" + coder + whole + b"\0\0"
    (tmp_path / "a.7z").write_bytes(make_start(len(packed), directory) + packed + directory)
    with pytest.raises(DataError, match="looks like a bomb"):
        extract_7z(tmp_path / "a.7z", tmp_path / "out")


@given(st.sampled_from(sorted(BY_7ZIP)), st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=150, deadline=None)
def test_damage_is_a_data_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, options: str, place: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    content = bytearray(base64.b64decode(BY_7ZIP[options]))
    content[place % len(content)] ^= flip
    (folder / "x.7z").write_bytes(content)
    try:
        extract_7z(folder / "x.7z", folder / "out")
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert contents(folder / "out") == FILES


@given(st.sampled_from(sorted(BY_7ZIP)), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_cut_archives_are_data_errors(tmp_path_factory: pytest.TempPathFactory, options: str, length: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content = base64.b64decode(BY_7ZIP[options])
    (folder / "x.7z").write_bytes(content[: length % len(content)])
    with pytest.raises(DataError):
        extract_7z(folder / "x.7z", folder / "out")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_directories_made_in_bad_faith_are_data_errors(data: st.DataObject) -> None:
    offset, size = struct.unpack_from("<QQ", whole := base64.b64decode(BY_7ZIP["-mhc=off"]), 12)
    directory = bytearray(whole[START.size + offset :][:size])
    for _ in range(data.draw(st.integers(1, 4))):
        directory[data.draw(st.integers(0, size - 1))] = data.draw(st.sampled_from([0, 1, 2, 10, 255, 128, 192]))
    try:
        read = parse_directory(bytes(directory))
    except DataError:
        return
    assert read.packed or len(read.names) == sum(len(block.files) for block in read.blocks)
    assert all(size >= 0 for block in read.blocks for size, _ in block.files) and read.place >= 0
    assert all(sum(size for size, _ in block.files) <= block.size for block in read.blocks)
