"""A minimal NIfTI-1 file: one volume of small whole numbers and how its voxels lie in the patient.

Enough for made-up label volumes that every NIfTI library reads; no reader.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

_CODES = {"uint8": 2, "int16": 4}
"""NumPy type -> NIfTI's datatype."""
_HEADER, _OFFSET = 348, 352
_MILLIMETRES = 2
_ALIGNED = 2
"""The affine's coordinates are those of another file: here the patient's in the scan."""


def encode_nifti(volume: np.ndarray, affine: Sequence[Sequence[float]]) -> bytes:
    """A volume (x, y, z) of uint8 or int16 as an uncompressed .nii file.

    `affine` has three rows of four numbers: [x y z] = affine[:, :3] [i j k] + affine[:, 3] in millimetres, where x
    grows to the patient's right, y to the front and z to the head (DICOM's x and y grow the other way).
    """
    if volume.ndim != 3 or volume.dtype.name not in _CODES:
        raise ValueError("a NIfTI volume is a three-dimensional array of uint8 or int16")
    rows = np.asarray(affine, dtype=np.float64)
    if rows.shape != (3, 4):
        raise ValueError("the affine must have three rows of four numbers")
    spacing = np.linalg.norm(rows[:, :3], axis=0)
    header = bytearray(_HEADER)
    struct.pack_into("<i", header, 0, _HEADER)
    struct.pack_into("<8h", header, 40, 3, *volume.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _CODES[volume.dtype.name], volume.dtype.itemsize * 8)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, 0.0, 0.0, 0.0, 0.0)
    struct.pack_into("<3f", header, 108, _OFFSET, 1.0, 0.0)
    struct.pack_into("<B", header, 123, _MILLIMETRES)
    struct.pack_into("<2h", header, 252, 0, _ALIGNED)
    struct.pack_into("<12f", header, 280, *rows.ravel())
    struct.pack_into("<4s", header, 344, b"n+1")
    voxels = volume.astype(volume.dtype.newbyteorder("<")).tobytes(order="F")
    return bytes(header) + bytes(_OFFSET - _HEADER) + voxels
