"""NumPy files larger than what one likes to hold: some of their rows, in any order, written to another file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CHUNK_BYTES = 1 << 28


def open_array(path: Path) -> np.ndarray:
    """An array of a .npy file that stays on disk; FileNotFoundError names a missing file."""
    return np.load(path, mmap_mode="r")


def save_rows(array: np.ndarray, rows: np.ndarray, path: Path) -> None:
    """Write `array[rows]` as a .npy file, with the bytes of `numpy.save`, a few hundred megabytes at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = np.lib.format.header_data_from_array_1_0(np.asarray(array[:0]))
    head["shape"] = (len(rows), *array.shape[1:])
    row_bytes = max(1, array.dtype.itemsize * int(np.prod(array.shape[1:])))
    step = max(1, CHUNK_BYTES // row_bytes)
    with path.open("xb") as out:
        np.lib.format.write_array_header_1_0(out, head)
        for start in range(0, len(rows), step):
            out.write(np.ascontiguousarray(array[rows[start : start + step]]).data)
