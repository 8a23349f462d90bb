"""TFRecord files of tf.train.Example messages, without TensorFlow: records framed by check sums, features by name.

A record is its length (uint64), the masked CRC-32C of that, the payload, and its masked CRC-32C; all little-endian.
An Example is a protocol buffer that maps names to lists of bytes, of floats (32 bits) or of whole numbers (64 bits).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np

from mlebench.errors import DataError

Feature = list[bytes] | list[float] | list[int]
"""The values of one feature; all of one kind."""
_POLYNOMIAL = 0x82F63B78
_BLOCK = 512
"""Bytes that are looked up in one step of a check sum."""
_BLOCKS_AT_ONCE = 256
_FIRST_OF_PLACE = np.arange(_BLOCK, dtype=np.intp) * 256
_MOST = 1 << 31
"""No message can be larger than this."""


def read_records(source: Path | IO[bytes]) -> Iterator[bytes]:
    """The payloads of a TFRecord file, in order; DataError for a damaged (or compressed) one."""
    try:
        with source.open("rb") if isinstance(source, Path) else source as file:
            while head := file.read(12):
                length, crc = struct.unpack("<QI", head) if len(head) == 12 else (_MOST, 0)
                payload = file.read(length) if length < _MOST and _mask(crc32c(head[:8])) == crc else b""
                tail = file.read(4)
                if len(payload) != length or len(tail) != 4 or tail != struct.pack("<I", _mask(crc32c(payload))):
                    raise DataError(f"{_name(source)} is no whole TFRecord file; fetch it again.")
                yield payload
    except FileNotFoundError:
        raise DataError(f"The raw file {source} is missing; fetch the raw data again.") from None


def _name(source: Path | IO[bytes]) -> str:
    return str(source) if isinstance(source, Path) else getattr(source, "name", "A file")


def write_records(path: Path, payloads: Iterable[bytes]) -> int:
    """Write payloads as a TFRecord file; return how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("xb") as out:
        for payload in payloads:
            length = struct.pack("<Q", len(payload))
            out.write(length + struct.pack("<I", _mask(crc32c(length))))
            out.write(payload + struct.pack("<I", _mask(crc32c(payload))))
            count += 1
    return count


def encode_example(features: Mapping[str, Feature]) -> bytes:
    """The message of an Example, its features in the order given; whole numbers are those of Python's `int`."""
    return _field(
        1, b"".join(_field(1, _field(1, name.encode()) + _field(2, _list(features[name]))) for name in features)
    )


def decode_example(message: bytes) -> dict[str, Feature]:
    """The features of an Example, in the order in which they stand; DataError for anything else."""
    features: dict[str, Feature] = {}
    try:
        for _, inner in _fields(message, 1):
            for _, entry in _fields(_bytes(inner), 1):
                parts = dict(_fields(_bytes(entry)))
                features[_bytes(parts.get(1, b"")).decode()] = _values(_bytes(parts.get(2, b"")))
    except (IndexError, ValueError, TypeError, struct.error) as error:
        raise DataError(f"A record is no tf.train.Example ({error}); fetch the raw data again.") from None
    return features


def crc32c(content: bytes) -> int:
    """CRC-32C (Castagnoli) of some bytes.

    Check sums are linear: what each byte of a block adds (xor) to one is looked up by its place and value, for all
    blocks at once, so that there is a Python step per block and not per byte.
    """
    whole = np.frombuffer(content, np.uint8)
    rest = len(whole) % _BLOCK
    state = 0xFFFFFFFF
    places, single, onwards = _tables()
    for byte in content[:rest]:
        state = (state >> 8) ^ single[(state ^ byte) & 0xFF]
    a, b, c, d = onwards
    blocks = whole[rest:].reshape(-1, _BLOCK)
    for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
        where = blocks[start : start + _BLOCKS_AT_ONCE] + _FIRST_OF_PLACE
        for part in np.bitwise_xor.reduce(np.take(places, where), axis=1).tolist():
            state = a[state & 0xFF] ^ b[state >> 8 & 0xFF] ^ c[state >> 16 & 0xFF] ^ d[state >> 24] ^ part
    return state ^ 0xFFFFFFFF


@cache
def _tables() -> tuple[np.ndarray, list[int], list[list[int]]]:
    """What a byte adds, by its place in a block and value (flat); at the last place; at the first four places.

    The four bytes of a state do to the check sum a block later what bytes at the block's first places do.
    """
    single = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        single = np.where(single & 1, single >> 1 ^ np.uint32(_POLYNOMIAL), single >> 1)
    places = [single]
    for _ in range(_BLOCK - 1):
        places.append((places[-1] >> 8) ^ single[places[-1] & 0xFF])
    places.reverse()
    return np.concatenate(places), single.tolist(), [place.tolist() for place in places[:4]]


def _mask(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _list(values: Feature) -> bytes:
    if all(isinstance(value, bytes) for value in values):
        return _field(1, b"".join(_field(1, value) for value in values if isinstance(value, bytes)))
    if all(isinstance(value, int) for value in values):
        return _field(3, _field(1, b"".join(_varint(value) for value in values if isinstance(value, int))))
    return _field(2, _field(1, np.array(values, dtype="<f4").tobytes()))


def _values(feature: bytes) -> Feature:
    """The values in a message of the kind BytesList (1), FloatList (2) or Int64List (3); numbers packed or not."""
    numbers: list[int] = []
    texts: list[bytes] = []
    floats: list[float] = []
    for kind, content in _fields(feature):
        for _, value in _fields(_bytes(content), 1):
            if kind == 1:
                texts.append(_bytes(value))
            elif kind == 2:
                packed = struct.pack("<I", value) if isinstance(value, int) else value
                floats += np.frombuffer(packed, "<f4").tolist()
            else:
                numbers += [value] if isinstance(value, int) else _varints(value)
    return texts or floats or [number - (number >> 63 << 64) for number in numbers]


def _fields(message: bytes, only: int | None = None) -> Iterator[tuple[int, bytes | int]]:
    """Numbers and contents of a message's fields, of all or of one number."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        value: bytes | int
        if key & 7 == 2:
            length, place = _read_varint(message, place)
            value, place = message[place : place + length], place + length
        elif key & 7 == 5:
            (value,) = struct.unpack_from("<I", message, place)
            place += 4
        elif key & 7 == 1:
            (value,) = struct.unpack_from("<Q", message, place)
            place += 8
        elif key & 7 == 0:
            value, place = _read_varint(message, place)
        else:
            raise ValueError(f"a field of the unknown kind {key & 7}")
        if place > len(message):
            raise ValueError("it ends too early")
        if only is None or key >> 3 == only:
            yield key >> 3, value


def _varints(packed: bytes) -> list[int]:
    values, place = [], 0
    while place < len(packed):
        value, place = _read_varint(packed, place)
        values.append(value)
    return values


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), place
        shift += 7
        if shift > 63:
            raise ValueError("a number of it is too long")


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number stands where bytes should")
    return value
