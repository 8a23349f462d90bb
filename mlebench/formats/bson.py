"""BSON streams: binary JSON documents, one after another, as MongoDB's tools write them (bsonspec.org).

Documents are read as bytes; their elements can be found without decoding the others, so that a recipe can copy or
shorten millions of them. Written are the types that occur in Kaggle's files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

from mlebench.errors import DataError

LARGEST = 1 << 28
"""Bytes of one document; MongoDB itself allows 16 MiB."""
_INT32 = struct.Struct("<i")
_DOUBLE, _TEXT, _DOCUMENT, _ARRAY, _BINARY, _BOOLEAN, _NULL, _INTEGER, _LONG = 1, 2, 3, 4, 5, 8, 10, 16, 18
_FIXED = {_DOUBLE: 8, 7: 12, _BOOLEAN: 1, 9: 8, _NULL: 0, _INTEGER: 4, 17: 8, _LONG: 8}
"""Type -> bytes of its value; 7 is an object id, 9 a date, 17 a time stamp."""
_EXTRA = {_TEXT: 4, _DOCUMENT: 0, _ARRAY: 0, _BINARY: 5}
"""Type with a length in front -> bytes that the length does not count."""


class Element(NamedTuple):
    """Where an element of a document lies: its first byte, its value, and the byte after it."""

    type: int
    start: int
    value: int
    end: int


def read_documents(stream: IO[bytes]) -> Iterator[bytes]:
    """Each document of a stream, whole; DataError where the stream is damaged or cut off."""
    while head := stream.read(4):
        size = _INT32.unpack(head)[0] if len(head) == 4 else 0
        body = stream.read(size - 4) if 5 <= size <= LARGEST else b""
        if len(body) != size - 4 or body[-1:] != b"\0":
            raise DataError("A BSON file is damaged or cut off; fetch it again.")
        yield head + body


def elements(document: bytes) -> Iterator[tuple[str, Element]]:
    """Name and place of each element of a document, in order; those of nested documents are not listed."""
    place, last = 4, len(document) - 1
    try:
        while place < last:
            type_ = document[place]
            value = document.index(0, place + 1) + 1
            if type_ in _FIXED:
                end = value + _FIXED[type_]
            else:
                (size,) = _INT32.unpack_from(document, value)
                end = value + _EXTRA[type_] + size
            if not value <= end <= last:
                raise ValueError
            yield document[place + 1 : value - 1].decode(), Element(type_, place, value, end)
            place = end
    except (ValueError, struct.error):
        raise DataError("A BSON document is damaged; fetch the raw data again.") from None
    except KeyError as error:
        raise DataError(f"A BSON document holds an element of type {error}, which is not read here.") from None


def read_integer(document: bytes, element: Element) -> int:
    """The value of an element that is a whole number."""
    if element.type not in (_INTEGER, _LONG):
        raise DataError("A BSON document holds something else where a whole number should be.")
    return int.from_bytes(document[element.value : element.end], "little", signed=True)


def without(document: bytes, element: Element) -> bytes:
    """The document without this element."""
    size = len(document) - (element.end - element.start)
    return _INT32.pack(size) + document[4 : element.start] + document[element.end :]


def decode(document: bytes) -> dict[str, Any]:
    """A document as a dict: numbers, texts, bytes, truth values, None, lists and dicts."""
    try:
        return {name: _value(document, element) for name, element in elements(document)}
    except UnicodeDecodeError:
        raise DataError("A BSON document holds a text that is not UTF-8; fetch the raw data again.") from None


def encode(document: Mapping[str, Any]) -> bytes:
    """A dict as a document; whole numbers take 4 bytes where they fit, else 8, bytes are binary data of subtype 0."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return _INT32.pack(len(body) + 5) + body + b"\0"


def _value(document: bytes, element: Element) -> Any:
    content = document[element.value : element.end]
    match element.type:
        case 1:
            return struct.unpack("<d", content)[0]
        case 2:
            return content[4:-1].decode()
        case 3:
            return decode(content)
        case 4:
            return list(decode(content).values())
        case 5:
            return content[5:]
        case 8:
            return content != b"\0"
        case 10:
            return None
        case 16 | 18:
            return read_integer(document, element)
    raise DataError(f"A BSON document holds an element of type {element.type}, which is not decoded here.")


def _element(name: str, value: Any) -> bytes:
    if value is None:
        type_, content = _NULL, b""
    elif isinstance(value, bool):
        type_, content = _BOOLEAN, bytes([value])
    elif isinstance(value, int):
        type_ = _INTEGER if -(1 << 31) <= value < 1 << 31 else _LONG
        content = value.to_bytes(_FIXED[type_], "little", signed=True)
    elif isinstance(value, float):
        type_, content = _DOUBLE, struct.pack("<d", value)
    elif isinstance(value, str):
        encoded = value.encode()
        type_, content = _TEXT, _INT32.pack(len(encoded) + 1) + encoded + b"\0"
    elif isinstance(value, bytes):
        type_, content = _BINARY, _INT32.pack(len(value)) + b"\0" + value
    elif isinstance(value, list | tuple):
        type_, content = _ARRAY, encode({str(i): item for i, item in enumerate(value)})
    elif isinstance(value, Mapping):
        type_, content = _DOCUMENT, encode(value)
    else:
        raise TypeError(f"{type(value).__name__} has no place in a BSON document")
    return bytes([type_]) + name.encode() + b"\0" + content
