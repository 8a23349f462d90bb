"""Pixel tables: images as CSV, one row a pixel, whose id is image_row_column with both counted from 1."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

COLUMNS = ("id", "value")


def write_pixel_table(path: Path, images: Iterable[tuple[str, np.ndarray]]) -> int:
    """Write (name, values of shape (height, width)) pairs as one CSV with the columns id and value; return its rows.

    The bytes are those of pandas' `to_csv` on the table of all pixels, made without a Python step per pixel.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with path.open("wb") as out:
        out.write(",".join(COLUMNS).encode() + b"\n")
        for name, values in images:
            out.write(pixel_rows(name, values))
            rows += values.size
    return rows


def pixel_rows(name: str, values: np.ndarray) -> bytes:
    """The rows of one image, `{name}_{row}_{column},{value}`, top to bottom and left to right.

    Numbers are written in their shortest form that reads back the same. Needs about 50 bytes of memory a pixel.
    """
    if any(mark in name for mark in ',"\r\n\0'):
        raise ValueError(f"{name!r} cannot stand in a pixel table without quotes")
    height, width = values.shape
    distinct, which = np.unique(values, return_inverse=True)
    starts = _padded([f"{name}_{row}_" for row in range(1, height + 1)])
    middles = _padded([f"{column}," for column in range(1, width + 1)])
    ends = _padded([f"{value!r}\n" for value in distinct.tolist()])
    cells = np.concatenate(
        [
            np.broadcast_to(starts[:, None], (height, width, starts.shape[1])),
            np.broadcast_to(middles[None, :], (height, width, middles.shape[1])),
            ends[which.reshape(height, width)],
        ],
        axis=2,
    ).ravel()
    return cells[cells != 0].tobytes()


def _padded(texts: list[str]) -> np.ndarray:
    """Texts as the rows of a byte matrix, filled up with NUL bytes, which none of them holds."""
    encoded = np.array([text.encode() for text in texts], dtype=np.bytes_)
    return encoded.view(np.uint8).reshape(len(texts), encoded.itemsize)
