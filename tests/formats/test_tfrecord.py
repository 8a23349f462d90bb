"""TFRecord: check sums against the plain definition, messages against bytes spelt out, damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import DataError
from mlebench.formats.tfrecord import crc32c, decode_example, encode_example, read_records, write_records

names = st.text(min_size=1, max_size=8)
values = st.one_of(
    st.lists(st.binary(max_size=200), min_size=1, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3),
)


def plain_crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_published_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


@given(st.integers(0, 3000), st.randoms(use_true_random=False))
def test_check_sums_are_those_of_the_definition(length: int, random) -> None:
    content = random.randbytes(length)
    assert crc32c(content) == plain_crc32c(content)


def test_check_sums_of_long_contents() -> None:
    content = bytes(range(256)) * 1100 + b"rest"
    assert crc32c(content) == plain_crc32c(content)


@given(st.dictionaries(names, values, max_size=4))
def test_examples_survive(features) -> None:
    decoded = decode_example(encode_example(features))
    assert decoded == features
    assert list(decoded) == list(features)


def test_a_message_spelt_out() -> None:
    entry_image = b"\n\x05image\x12\x06\n\x04\n\x02\xff\xd8"
    entry_target = b"\n\x06target\x12\x05\x1a\x03\n\x01\x03"
    inner = b"\n" + bytes([len(entry_image)]) + entry_image + b"\n" + bytes([len(entry_target)]) + entry_target
    message = b"\n" + bytes([len(inner)]) + inner
    assert encode_example({"image": [b"\xff\xd8"], "target": [3]}) == message
    assert decode_example(message) == {"image": [b"\xff\xd8"], "target": [3]}


def test_numbers_that_are_not_packed() -> None:
    entry = b"\n\x01n\x12\x06\x1a\x04\x08\x01\x08\x02"
    entry_float = b"\n\x01f\x12\x07\x12\x05\x0d\x00\x00\x80\x3f"
    inner = b"\n" + bytes([len(entry)]) + entry + b"\n" + bytes([len(entry_float)]) + entry_float
    assert decode_example(b"\n" + bytes([len(inner)]) + inner) == {"n": [1, 2], "f": [1.0]}


@given(st.binary(max_size=60))
def test_other_bytes_are_data_errors_or_examples(content: bytes) -> None:
    try:
        decode_example(content)
    except DataError as error:
        assert "no tf.train.Example" in str(error)


def test_records(tmp_path: Path) -> None:
    payloads = [b"", b"a" * 5000, b"last"]
    assert write_records(tmp_path / "folder" / "x.tfrec", payloads) == 3
    assert list(read_records(tmp_path / "folder" / "x.tfrec")) == payloads
    # One empty record: length 0, its masked check sum, the masked check sum of nothing.
    write_records(tmp_path / "empty", [b""])
    assert (tmp_path / "empty").read_bytes() == bytes(8) + bytes.fromhex("29039807") + bytes.fromhex("d8ea82a2")


@pytest.mark.parametrize("place", [0, 7, 8, 11, 12, 16, 20, -1])
def test_damaged_records_are_data_errors(tmp_path: Path, place: int) -> None:
    write_records(tmp_path / "x", [b"some bytes"])
    content = bytearray((tmp_path / "x").read_bytes())
    content[place] ^= 1
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match="no whole TFRecord"):
        list(read_records(tmp_path / "x"))


def test_cut_and_missing_files_are_data_errors(tmp_path: Path) -> None:
    write_records(tmp_path / "x", [b"some bytes"])
    content = (tmp_path / "x").read_bytes()
    for length in range(1, len(content)):
        (tmp_path / "x").write_bytes(content[:length])
        with pytest.raises(DataError, match="no whole TFRecord"):
            list(read_records(tmp_path / "x"))
    with pytest.raises(DataError, match="missing"):
        list(read_records(tmp_path / "none"))
