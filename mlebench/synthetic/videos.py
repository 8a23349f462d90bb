"""Made-up videos: pictures as JPEG frames in an MP4 file, which OpenCV and FFmpeg read; the same bytes every time."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from mlebench.synthetic.images import encode

_SCALE = 60_000
"""Time units a second."""
_JPEG = 0x6C
"""Object type of JPEG frames (ISO/IEC 14496-1)."""
_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def encode_mp4(frames: Sequence[np.ndarray], rate: float, *, quality: int = 60) -> bytes:
    """Frames of one size (uint8, height x width or height x width x 3) at `rate` a second, as the bytes of an MP4."""
    pictures = [encode(frame, "JPEG", quality=quality) for frame in frames]
    height, width = frames[0].shape[:2]
    step = round(_SCALE / rate)
    duration = step * len(pictures)
    head = _box("ftyp", b"isom" + struct.pack(">I", 512) + b"isommp41")
    data = _box("mdat", b"".join(pictures))
    offset = len(head) + 8

    config = _descriptor(4, bytes([_JPEG, 0x11]) + bytes(11)) + _descriptor(6, b"\2")
    elementary = _full("esds", _descriptor(3, struct.pack(">HB", 1, 0) + config))
    entry = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", width, height)
    entry += struct.pack(">III", 0x480000, 0x480000, 0) + struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    table = _box(
        "stbl",
        _full("stsd", struct.pack(">I", 1) + _box("mp4v", entry + elementary))
        + _full("stts", struct.pack(">III", 1, len(pictures), step))
        + _full("stsc", struct.pack(">IIII", 1, 1, len(pictures), 1))
        + _full("stsz", struct.pack(">II", 0, len(pictures)) + b"".join(struct.pack(">I", len(p)) for p in pictures))
        + _full("stco", struct.pack(">II", 1, offset)),
    )
    reference = _box("dinf", _full("dref", struct.pack(">I", 1) + _full("url ", b"", flags=1)))
    media = _box(
        "mdia",
        _full("mdhd", struct.pack(">IIIIHH", 0, 0, _SCALE, duration, 0x55C4, 0))
        + _full("hdlr", struct.pack(">I4s", 0, b"vide") + bytes(13))
        + _box("minf", _full("vmhd", bytes(8), flags=1) + reference + table),
    )
    track = struct.pack(">IIIII", 0, 0, 1, 0, duration) + bytes(16) + _UNITY
    track += struct.pack(">II", width << 16, height << 16)
    movie = struct.pack(">IIIIIH", 0, 0, _SCALE, duration, 0x10000, 0x100) + bytes(10) + _UNITY + bytes(24)
    movie += struct.pack(">I", 2)
    return head + data + _box("moov", _full("mvhd", movie) + _box("trak", _full("tkhd", track, flags=3) + media))


def _box(kind: str, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind.encode()) + content


def _full(kind: str, content: bytes, *, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return _box(kind, struct.pack(">I", flags) + content)


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content
