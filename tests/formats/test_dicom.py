"""The minimal DICOM writer: round trip, the bytes of the standard, and errors."""

from __future__ import annotations

import numpy as np
import pytest

from mlebench.errors import DataError
from mlebench.formats.dicom import decode_dicom, encode_dicom


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 32)])
def test_round_trip(dtype: type, shape: tuple[int, int]) -> None:
    info = np.iinfo(dtype)
    pixels = np.random.default_rng(1).integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    content = encode_dicom(pixels, PatientID="p1", Modality="MR", InstanceNumber=7, PixelSpacing="0.5\\0.25")
    found, elements = decode_dicom(content)
    assert found.dtype == dtype
    assert np.array_equal(found, pixels)
    assert elements["PatientID"] == "p1"
    assert elements["InstanceNumber"] == "7"
    assert elements["PixelSpacing"] == "0.5\\0.25"
    assert (elements["Rows"], elements["Columns"]) == shape
    assert elements["HighBit"] == info.bits - 1
    assert len(content) % 2 == 0


def test_layout_of_the_standard() -> None:
    content = encode_dicom(np.array([[1, 2]], dtype=np.uint16), BitsStored=12)
    assert content[:132] == bytes(128) + b"DICM"
    # File meta group: its length counts what follows up to the data set.
    assert content[132:144] == b"\x02\x00\x00\x00UL\x04\x00" + content[140:144]
    end = 144 + int.from_bytes(content[140:144], "little")
    assert content[end : end + 2] == b"\x08\x00"
    assert b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00" in content[:end]
    assert content.endswith(b"\xe0\x7f\x10\x00OW\x00\x00\x04\x00\x00\x00\x01\x00\x02\x00")
    assert b"\x28\x00\x02\x01US\x02\x00\x0b\x00" in content  # high bit 11


def test_same_input_same_bytes() -> None:
    pixels = np.zeros((4, 4), dtype=np.uint8)
    assert encode_dicom(pixels, Modality="DX") == encode_dicom(pixels, Modality="DX")


@pytest.mark.parametrize("pixels", [np.zeros((2, 2)), np.zeros(4, dtype=np.uint8), np.zeros((2, 2, 3), dtype=np.uint8)])
def test_other_arrays_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError):
        encode_dicom(pixels)


def test_damaged_files_are_refused() -> None:
    content = encode_dicom(np.zeros((8, 8), dtype=np.uint16))
    for broken in (b"", b"no dicom", content[:140], content[:-10], content[:200]):
        with pytest.raises(DataError):
            decode_dicom(broken)
