"""A minimal DICOM file: one uncompressed grey picture and a few header elements, explicit VR little endian.

Enough for made-up data that every DICOM library reads, and to read back what was written here; no general reader.
"""

from __future__ import annotations

import struct

import numpy as np

from mlebench.errors import DataError

ELEMENTS: dict[str, tuple[int, int, str]] = {
    "SOPClassUID": (0x0008, 0x0016, "UI"),
    "SOPInstanceUID": (0x0008, 0x0018, "UI"),
    "Modality": (0x0008, 0x0060, "CS"),
    "StudyDescription": (0x0008, 0x1030, "LO"),
    "SeriesDescription": (0x0008, 0x103E, "LO"),
    "PatientID": (0x0010, 0x0020, "LO"),
    "PatientSex": (0x0010, 0x0040, "CS"),
    "PatientAge": (0x0010, 0x1010, "AS"),
    "BodyPartExamined": (0x0018, 0x0015, "CS"),
    "SliceThickness": (0x0018, 0x0050, "DS"),
    "ViewPosition": (0x0018, 0x5101, "CS"),
    "StudyInstanceUID": (0x0020, 0x000D, "UI"),
    "SeriesInstanceUID": (0x0020, 0x000E, "UI"),
    "InstanceNumber": (0x0020, 0x0013, "IS"),
    "ImagePositionPatient": (0x0020, 0x0032, "DS"),
    "ImageOrientationPatient": (0x0020, 0x0037, "DS"),
    "SamplesPerPixel": (0x0028, 0x0002, "US"),
    "PhotometricInterpretation": (0x0028, 0x0004, "CS"),
    "Rows": (0x0028, 0x0010, "US"),
    "Columns": (0x0028, 0x0011, "US"),
    "PixelSpacing": (0x0028, 0x0030, "DS"),
    "BitsAllocated": (0x0028, 0x0100, "US"),
    "BitsStored": (0x0028, 0x0101, "US"),
    "HighBit": (0x0028, 0x0102, "US"),
    "PixelRepresentation": (0x0028, 0x0103, "US"),
    "RescaleIntercept": (0x0028, 0x1052, "DS"),
    "RescaleSlope": (0x0028, 0x1053, "DS"),
}
"""Keyword of the DICOM dictionary -> group, element, value representation."""
_LONG = {"OB", "OW", "UN", "SQ", "UT"}
_PIXELS = (0x7FE0, 0x0010)
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_ROOT = "1.2.826.0.1.3680043.8.498."
"""A UID root that anyone may use."""

Value = str | int | float


def encode_dicom(pixels: np.ndarray, **elements: Value) -> bytes:
    """A grey picture (uint8 or 16-bit, signed or not; height x width) as a DICOM file.

    `elements` are DICOM keywords of ELEMENTS, such as PatientID="p1"; several numbers are written "1.5\\\\1.5". Those
    that describe the pixels are set from the array; the class is secondary capture unless given.
    """
    if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.uint16, np.int16):
        raise ValueError("a DICOM picture is a two-dimensional array of uint8, uint16 or int16")
    bits = pixels.dtype.itemsize * 8
    described: dict[str, Value] = {
        "SOPClassUID": _SECONDARY_CAPTURE,
        "SOPInstanceUID": _ROOT + "1",
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsStored": bits,
        **elements,
        "SamplesPerPixel": 1,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": bits,
        "PixelRepresentation": int(pixels.dtype == np.int16),
    }
    described["HighBit"] = int(described["BitsStored"]) - 1
    placed = sorted((ELEMENTS[name], value) for name, value in described.items())
    body = b"".join(_element(*where, value) for where, value in placed)
    body += _element(*_PIXELS, "OW", pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
    meta = _element(0x0002, 0x0001, "OB", b"\0\1")
    about = (described["SOPClassUID"], described["SOPInstanceUID"], _EXPLICIT_LITTLE_ENDIAN, _ROOT + "2")
    for element, value in zip((0x0002, 0x0003, 0x0010, 0x0012), about, strict=True):
        meta += _element(0x0002, element, "UI", value)
    length = _element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + body


def decode_dicom(content: bytes) -> tuple[np.ndarray, dict[str, str | int]]:
    """Pixels and known elements of a file that `encode_dicom` could have written; DataError for any other."""
    if content[128:132] != b"DICM":
        raise DataError("This is no DICOM file; its mark is missing.")
    names = {(group, element): name for name, (group, element, _) in ELEMENTS.items()}
    elements: dict[str, str | int] = {}
    pixels, place = b"", 132
    try:
        while place < len(content):
            group, element, kind = struct.unpack_from("<HH2s", content, place)
            long = kind.decode("latin-1") in _LONG
            (length,) = struct.unpack_from("<I" if long else "<H", content, place + (8 if long else 6))
            place += 12 if long else 8
            value, place = content[place : place + length], place + length
            if (group, element) == _PIXELS:
                pixels = value
            elif name := names.get((group, element)):
                elements[name] = struct.unpack("<H", value)[0] if kind == b"US" else value.decode().rstrip(" \0")
        signed, bits = elements["PixelRepresentation"], elements["BitsAllocated"]
        dtype = np.dtype(f"<{'i' if signed else 'u'}{int(bits) // 8}")
        rows, columns = int(elements["Rows"]), int(elements["Columns"])
        return np.frombuffer(pixels, dtype, rows * columns).reshape(rows, columns), elements
    except (struct.error, KeyError, ValueError, TypeError) as error:
        raise DataError(f"This DICOM file is damaged or beyond the minimal reader ({error}).") from None


def _element(group: int, element: int, kind: str, value: Value | bytes) -> bytes:
    if kind == "US":
        content = struct.pack("<H", int(value))
    else:
        content = value if isinstance(value, bytes) else str(value).encode("ascii")
    content += (b"\0" if kind in ("UI", "OB", "OW") else b" ") * (len(content) % 2)
    head = struct.pack("<HH2s", group, element, kind.encode())
    return head + (struct.pack("<HI", 0, len(content)) if kind in _LONG else struct.pack("<H", len(content))) + content
