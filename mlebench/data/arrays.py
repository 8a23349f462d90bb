"""NumPy files larger than what one likes to hold: their rows divided among other files, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from mlebench.data.raw_files import open_raw

CHUNK_BYTES = 1 << 26


def read_array(path: Path) -> np.ndarray:
    """The array of a raw .npy file; FileNotFoundError names a missing file."""
    with open_raw(path) as file:
        return np.load(file, allow_pickle=False)


def array_shape(path: Path) -> tuple[int, ...]:
    """The shape of the array of a raw .npy file, of which no more is read."""
    with open_raw(path) as file:
        return _read_header(file)[0]


def divide_rows(source: Path, parts: Mapping[Path, np.ndarray]) -> None:
    """Write `array[rows]` of a raw .npy file as .npy files, for each path and its rows, with the bytes of `numpy.save`.

    The array is read once, from its start to its end, and never whole; the rows find their places in the new files.
    """
    with open_raw(source) as file:
        (total, *rest), dtype = _read_header(file)
        row_bytes = max(1, dtype.itemsize * int(np.prod(rest)))
        step = max(1, CHUNK_BYTES // row_bytes)
        made = []
        for path, rows in parts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            order = np.argsort(rows, kind="stable")
            out = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(len(rows), *rest))
            made.append((out, order, rows[order]))
        for start in range(0, total, step):
            count = min(step, total - start)
            chunk = np.frombuffer(_read_exactly(file, count * row_bytes), dtype).reshape(count, *rest)
            for out, order, ordered in made:
                first, last = np.searchsorted(ordered, (start, start + count))
                out[order[first:last]] = chunk[ordered[first:last] - start]


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = read(file)
    if by_column or dtype.hasobject:
        raise ValueError("an array that is laid out by column, or holds Python objects, is not read in parts")
    return shape, dtype


def _read_exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EOFError("the array is cut off")
    return content
