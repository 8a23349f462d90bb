"""BSON documents: what is written is read, bytes are those of the specification, damage is told."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.errors import DataError
from mlebench.formats.bson import decode, elements, encode, read_documents, read_integer, without

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)
PRODUCT = {"_id": 7, "category_id": 1000010653, "imgs": [{"picture": b"\xff\xd8"}]}


def product_bytes() -> bytes:
    """PRODUCT, written down field by field from bsonspec.org."""
    picture = b"\x05picture\0" + struct.pack("<i", 2) + b"\0\xff\xd8"
    item = struct.pack("<i", len(picture) + 5) + picture + b"\0"
    items = b"\x030\0" + item
    listed = struct.pack("<i", len(items) + 5) + items + b"\0"
    body = b"\x10_id\0" + struct.pack("<i", 7) + b"\x10category_id\0" + struct.pack("<i", 1000010653)
    body += b"\x04imgs\0" + listed
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def test_bytes_of_the_specification() -> None:
    # The specification's own example, and a product.
    assert encode({"hello": "world"}) == b"\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00"
    assert encode(PRODUCT) == product_bytes()


@given(st.lists(DOCUMENTS, max_size=5))
def test_what_is_written_is_read(documents: list[dict]) -> None:
    stream = io.BytesIO(b"".join(map(encode, documents)))
    assert [decode(document) for document in read_documents(stream)] == documents


@given(DOCUMENTS)
def test_an_element_less(document: dict) -> None:
    written = encode(document)
    found = dict(elements(written))
    assert list(found) == list(document)
    for name in document:
        rest = {other: value for other, value in document.items() if other != name}
        assert without(written, found[name]) == encode(rest)


@pytest.mark.parametrize("number", [0, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1])
def test_whole_numbers(number: int) -> None:
    document = encode({"n": number})
    (found,) = dict(elements(document)).values()
    assert read_integer(document, found) == number
    assert found.end - found.value == (4 if -(2**31) <= number < 2**31 else 8)


def test_a_text_is_no_whole_number() -> None:
    document = encode({"n": "7"})
    with pytest.raises(DataError, match="whole number"):
        read_integer(document, dict(elements(document))["n"])


@given(st.integers(1, len(product_bytes()) - 1))
def test_a_file_that_is_cut_off(length: int) -> None:
    with pytest.raises(DataError, match="cut off"):
        list(read_documents(io.BytesIO(product_bytes() * 2 + product_bytes()[:length])))


@given(st.integers(0, len(product_bytes()) - 1), st.integers(0, 255))
def test_damage_is_told_or_does_not_matter(place: int, byte: int) -> None:
    damaged = bytearray(product_bytes())
    damaged[place] = byte
    read = []
    try:
        for document in read_documents(io.BytesIO(bytes(damaged))):
            read.append(document)
            assert list(decode(document)) == list(dict.fromkeys(name for name, _ in elements(document)))
    except DataError:
        assert bytes(damaged).startswith(b"".join(read))
    else:
        assert b"".join(read) == damaged  # no byte is passed over
