"""A tar is read to its true end, and its headers are read no further than headers go."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlebench.data import archive_rules, tar_members
from mlebench.data.archives import extract_tar, read_tar, tar_names, visit_files
from mlebench.errors import DataError

BLOCK = tarfile.BLOCKSIZE
NAMES = ["a", "b", "c"]


def tar_of(names: list[str], format: int = tarfile.USTAR_FORMAT) -> bytes:
    """A plain tar with one block in each file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as opened:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = BLOCK
            opened.addfile(info, io.BytesIO(name[-1:].encode() * BLOCK))
    return out.getvalue()


def header(kind: bytes, size: int, **attributes: str) -> bytes:
    """A header block."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, size
    for name, value in attributes.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def record(key: str, value: str) -> bytes:
    """A pax record, padded."""
    rest = f" {key}={value}\n"
    size = len(rest) + len(str(len(rest) + 2))
    content = f"{size}{rest}".encode()
    assert len(content) == size
    return content.ljust(-(-size // BLOCK) * BLOCK, b"\0")


def readers(archive: Path, folder: Path) -> list[Callable[[], object]]:
    """All that reads a tar."""
    return [
        lambda: extract_tar(archive, folder),
        lambda: list(read_tar(archive)),
        lambda: tar_names(archive),
        lambda: visit_files(archive, lambda *_: True),
    ]


def refused(folder: Path, content: bytes, message: str = "no readable tar") -> None:
    """All that reads a tar tells that this one is damaged."""
    (folder / "a.tar").write_bytes(content)
    for read in readers(folder / "a.tar", folder / f"out{len(list(folder.iterdir()))}"):
        with pytest.raises(DataError, match=message):
            read()


@pytest.mark.parametrize("end", [2 * BLOCK, 2 * BLOCK + 100, 4 * BLOCK])
def test_a_tar_that_is_cut_between_members_is_damaged(tmp_path: Path, end: int) -> None:
    refused(tmp_path, tar_of(NAMES)[:end])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_bad_header_between_members_is_damage(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content = bytearray(tar_of(NAMES))
    content[2 * BLOCK + 3] ^= 1
    refused(tmp_path, pack(bytes(content)))
    content[2 * BLOCK : 3 * BLOCK] = bytes(BLOCK)  # a block that the disk lost
    refused(tmp_path, pack(bytes(content)), "no readable tar.*missing")


@pytest.mark.parametrize("kind", ["whole", "junk", "one block of zeros", "compressed without an end"])
def test_ends_that_are_right(tmp_path: Path, kind: str) -> None:
    whole = tar_of(NAMES)[: 8 * BLOCK]
    content = {
        "whole": whole,
        "junk": whole + b"junk" * BLOCK,
        "one block of zeros": whole[: 7 * BLOCK],
        "compressed without an end": gzip.compress(whole[: 6 * BLOCK]),
    }[kind]
    (tmp_path / "a.tar").write_bytes(content)
    assert extract_tar(tmp_path / "a.tar", tmp_path / "out") == 3
    assert tar_names(tmp_path / "a.tar") == NAMES


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_that_would_fill_the_memory_are_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    monkeypatch.setattr(tar_members, "_MOST_HEADERS", 100_000)
    read = tar_members._Bounded.read
    seen: list[int] = []
    monkeypatch.setattr(tar_members._Bounded, "read", lambda self, size: seen.append(size) or read(self, size))
    bomb = tar_of(["a"])[: 2 * BLOCK] + header(kind, 8_000_000) + bytes(8_000_000) + tar_of(["b"])
    refused(tmp_path, lzma.compress(bomb, preset=0), "too long")
    assert 0 < sum(seen) < 4 * 200_000


def test_very_many_headers_before_a_member(tmp_path: Path) -> None:
    one = header(tarfile.GNUTYPE_LONGNAME, 1) + b"x".ljust(BLOCK, b"\0")
    refused(tmp_path, gzip.compress(one * 900 + tar_of(["a"])))


def test_a_sparse_map_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_members, "_MOST_HEADERS", 100_000)
    records = [record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0")]
    content = b"".join(part.rstrip(b"\0") for part in records)
    before = header(tarfile.XHDTYPE, len(content)) + content.ljust(BLOCK, b"\0")
    for numbers in (b"999999\n" + b"1\n" * 500_000, b"no number\n".ljust(BLOCK), b"9" * BLOCK * 9):
        file = header(tarfile.REGTYPE, len(numbers)) + numbers.ljust(-(-len(numbers) // BLOCK) * BLOCK, b"\0")
        refused(tmp_path, lzma.compress(before + file + tar_of(["b"]), preset=0))


@pytest.mark.parametrize("size", ["-1", "-100000"])
def test_negative_sizes(tmp_path: Path, size: str) -> None:
    records = record("size", size)
    refused(tmp_path, header(tarfile.XHDTYPE, len(records.rstrip(b"\0"))) + records + tar_of(NAMES))
    content = bytearray(tar_of(NAMES))
    content[124:136] = (int(size) % (1 << 96)).to_bytes(12, "big")
    total = sum(content[:148]) + sum(content[156:BLOCK]) + 8 * ord(" ")
    content[148:156] = b"%06o\0 " % total
    refused(tmp_path, bytes(content))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read(tmp_path: Path, format: int) -> None:
    names = ["x" * 200, "folder/" * 400 + "y", "ä" * 150]
    (tmp_path / "a.tar").write_bytes(tar_of(names, format))
    assert tar_names(tmp_path / "a.tar") == names


def test_members_of_nothing_are_a_bomb_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_rules, "ALLOWED_EXPANSION", 100_000)
    monkeypatch.setattr(archive_rules, "MAX_RATIO", 10)
    empty = b"".join(header(tarfile.REGTYPE, 0, name=f"{number}") for number in range(1000))
    refused(tmp_path, lzma.compress(empty + bytes(2 * BLOCK)), "bomb")
