"""A zip's list of members is whole, or the zip is refused; what is odd but right is read."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlebench.data import raw_files
from mlebench.data.archives import extract_zip, open_zip, read_members, visit_files, write_zip
from mlebench.data.raw_files import lead_to, list_raw, read_raw
from mlebench.errors import DataError

FILES = {f"images/{letter}.png": letter.encode() * 9 for letter in "abcde"}


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    raw_files.forget()


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """An ordinary zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as opened:
        opened.comment = comment
        for name, content in files.items():
            opened.writestr(name, content)
    return out.getvalue()


def record(content: bytes, number: int) -> int:
    """Where the record of a member begins in the list of members."""
    place = -1
    for _ in range(number + 1):
        place = content.index(b"PK\1\2", place + 1)
    return place


def changed(content: bytes, place: int, new: bytes) -> bytes:
    """The bytes with some of them replaced."""
    return content[:place] + new + content[place + len(new) :]


def swallowed(content: bytes) -> bytes:
    """The comment of the second member is as long as the two records behind it."""
    length = record(content, 3) - record(content, 1)
    return changed(content, record(content, 1) + 32, struct.pack("<H", length))


def last_one_longer(content: bytes) -> bytes:
    """The last record has a comment that goes beyond the list."""
    return changed(content, record(content, 4) + 32, struct.pack("<H", 5))


def counted_wrong(content: bytes) -> bytes:
    """The end tells of 500 members."""
    return changed(content, content.rindex(b"PK\5\6") + 8, struct.pack("<HH", 500, 500))


def renamed(new: bytes) -> Callable[[bytes], bytes]:
    """The second member has another name, in both places."""
    return lambda content: content.replace(b"images/b.png", new)


def nameless(content: bytes) -> bytes:
    """The third member has no name: its characters count as extra fields, which begin with a length."""
    content = content.replace(b"images/c.png", b"\xff\xff\x08\0" + bytes(8))
    content = changed(content, record(content, 2) + 28, struct.pack("<HH", 0, 12))
    return changed(content, content.index(b"\xff\xff\x08\0") - 4, struct.pack("<HH", 0, 12))


def placed_wrong(content: bytes) -> bytes:
    """The end of a large zip tells a place of the list that no file has; the list is found, but not its members."""
    end = content.rindex(b"PK\5\6")
    start = record(content, 0)
    large = struct.pack("<4sQ12x4Q", b"PK\6\6", 44, 5, 5, end - start, (1 << 64) - 1)
    return content[:end] + large + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1) + content[end:]


DAMAGES = {
    "outside the file": placed_wrong,
    "members": swallowed,
    "cut off": last_one_longer,
    "500": counted_wrong,
    "damaged one": renamed(b"images/a\0png"),
    "without a name": nameless,
}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("message", DAMAGES)
def test_a_list_that_is_damaged_is_refused(tmp_path: Path, message: str, nested: bool) -> None:
    damaged = DAMAGES[message](zip_of(FILES))
    assert damaged != zip_of(FILES)
    archive = tmp_path / "a.zip"
    archive.write_bytes(damaged)
    if nested:
        write_zip(tmp_path / "raw.zip", [("a.zip", archive)])
        lead_to(tmp_path / "raw.zip", tmp_path / "packed")
        archive = tmp_path / "packed" / "a.zip"
    else:
        with pytest.raises(DataError, match=f"no readable zip.*{message}"):
            lead_to(archive, tmp_path / "packed")
    with pytest.raises(DataError, match=f"no readable zip.*{message}"):
        extract_zip(archive, tmp_path / "out")
    with pytest.raises(DataError, match=f"no readable zip.*{message}"):
        list(read_members(archive, FILES))
    with pytest.raises(DataError, match=f"no readable zip.*{message}"):
        visit_files(archive, lambda *_: True)
    assert not (tmp_path / "out").exists()


def streamed(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Sizes and sums stand behind the content, as from a writer that cannot go back."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    with zipfile.ZipFile(out := Pipe(), "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in FILES.items():
            opened.writestr(name, content)
    return out.getvalue()


def large(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The end is that of large zips."""
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        content = zip_of(FILES)
    assert b"PK\6\6" in content
    return content


ODD_BUT_RIGHT: dict[str, Callable[[pytest.MonkeyPatch], bytes]] = {
    "zip64": large,
    "data descriptors": streamed,
    "prefix": lambda _: b"#!/bin/sh\n" * 9 + zip_of(FILES),
    "comment": lambda _: zip_of(FILES, comment=b"thank you"),
    "long comment": lambda _: zip_of(FILES, comment=b"\0" * 65535),
    "zip64 with prefix": lambda patch: b"#!/bin/sh\n" * 9 + large(patch),
    "behind the end": lambda _: zip_of(FILES) + b"junk",
    "stored": lambda _: zip_of(FILES, zipfile.ZIP_STORED),
    "folders": lambda _: zip_of({"images/": b"", **FILES}),
}


@pytest.mark.parametrize("kind", ODD_BUT_RIGHT)
def test_what_is_odd_but_right_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(ODD_BUT_RIGHT[kind](monkeypatch))
    assert extract_zip(archive, tmp_path / "out") == len(FILES)
    assert dict(read_members(archive, FILES)) == FILES
    lead_to(archive, raw := tmp_path / "packed")
    assert {path.relative_to(raw).as_posix(): read_raw(path) for path in list_raw(raw)} == FILES


def test_a_count_of_16_bits_may_run_over(tmp_path: Path) -> None:
    content = zip_of({f"{number}": b"" for number in range(65_540)}, zipfile.ZIP_STORED)
    end = bytearray(content[content.rindex(b"PK\5\6") :])
    start, locator = content.index(b"PK\1\2"), content.rindex(b"PK\6\6")
    struct.pack_into("<HHII", end, 8, 4, 4, locator - start, start)
    (tmp_path / "a.zip").write_bytes(content[:locator] + end)
    with open_zip(tmp_path / "a.zip") as opened:
        assert len(opened.infolist()) == 65_540


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), comment=st.sampled_from([b"", b"comment"]))
def test_a_flipped_byte_drops_no_file(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int, comment: bytes
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    content = bytearray(zip_of(FILES, comment=comment))
    content[place % len(content)] ^= flip
    (folder / "a.zip").write_bytes(content)
    try:
        extract_zip(folder / "a.zip", folder / "out")
    except DataError:
        return
    found = {path.relative_to(folder / "out").as_posix() for path in (folder / "out").rglob("*") if path.is_file()}
    assert found == set(FILES)
