"""NIfTI files against the published layout of the header, field by field."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from mlebench.formats.nifti import encode_nifti

AFFINE = [[0, 0, -0.5, 10], [0.25, 0, 0, -20], [0, 2, 0, 30]]


@pytest.mark.parametrize(("dtype", "code"), [(np.uint8, 2), (np.int16, 4)])
def test_every_field_stands_in_its_place(dtype: type, code: int) -> None:
    volume = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(dtype)
    content = encode_nifti(volume, AFFINE)
    assert struct.unpack_from("<i", content, 0) == (348,)
    assert struct.unpack_from("<8h", content, 40) == (3, 2, 3, 4, 1, 1, 1, 1)
    assert struct.unpack_from("<2h", content, 70) == (code, volume.itemsize * 8)
    assert struct.unpack_from("<4f", content, 76) == (1.0, 0.25, 2.0, 0.5)
    assert struct.unpack_from("<2f", content, 108) == (352.0, 1.0)
    assert content[123] == 2
    assert struct.unpack_from("<h", content, 254) == (2,)
    assert np.array_equal(np.frombuffer(content, "<f4", 12, 280).reshape(3, 4), np.float32(AFFINE))
    assert content[344:348] == b"n+1\0"
    voxels = np.frombuffer(content, np.dtype(dtype).newbyteorder("<"), offset=352)
    assert voxels[1] == volume[1, 0, 0]  # the first index runs fastest
    assert np.array_equal(voxels.reshape(volume.shape, order="F"), volume)


@pytest.mark.parametrize("volume", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.float64)])
def test_other_arrays_are_refused(volume: np.ndarray) -> None:
    with pytest.raises(ValueError, match="three-dimensional"):
        encode_nifti(volume, AFFINE)


def test_an_affine_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="affine"):
        encode_nifti(np.zeros((2, 2, 2), np.uint8), np.eye(4).tolist())
