"""Ids as they stand in a file, compared without making a text of each: for files of many millions of rows.

Only plain files are read this way: no quotation marks, every line with as many cells as the header. For any other file,
and wherever two sets of keys do not match row for row, the answer is None and the general reader decides; so nothing is
refused here, and nothing scores differently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO

import numpy as np

MAX_WIDTH = 80
"""Bytes of the longest key; longer ones are left to the general reader."""
_BLOCK = 2 * 2**20
_PIECE = 2**18
_COMMA, _LINE_END = ord(","), ord("\n")
_ODD = np.uint64(0x9E3779B97F4A7C15)


def read_keys(opener: Callable[[], IO[bytes]], ids: Sequence[str]) -> np.ndarray | None:
    """The ids of each row as one fixed-width bytes array (rows,), several id columns as they stand, comma between.

    None where the file is not plain, or the id columns do not stand side by side in this order.
    """
    parts: list[np.ndarray] = []
    with opener() as stream:
        header = stream.readline(_BLOCK)
        names = header[:-1].split(b",")
        wanted = [name.encode() for name in ids]
        if header[-1:] != b"\n" or not wanted or wanted[0] not in names or len(names) < 2:
            return None
        first = names.index(wanted[0])
        if names[first : first + len(wanted)] != wanted or not _is_plain(header):
            return None
        rest = b""
        while block := stream.read(_BLOCK):
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if not _append(parts, block, end, len(names), first, len(wanted)):
                return None
        if rest and not _append(parts, rest + b"\n", len(rest) + 1, len(names), first, len(wanted)):
            return None
    return np.concatenate(parts) if parts else None


def match_keys(given: np.ndarray, wanted: np.ndarray) -> np.ndarray | None:
    """Row of `given` for each wanted key, where both sides hold exactly the same distinct keys or stand in the same
    order; otherwise none. Keys are equal when their bytes are.
    """
    if given.dtype != wanted.dtype or given.shape != wanted.shape:
        return None
    if _equal(given, wanted):
        return np.arange(len(given))
    codes, wanted_codes = _hashed(given), _hashed(wanted)
    order, wanted_order = np.argsort(codes), np.argsort(wanted_codes)
    codes, wanted_codes = codes[order], wanted_codes[wanted_order]
    if not np.array_equal(codes, wanted_codes) or (codes[1:] == codes[:-1]).any():
        return None
    positions = np.empty(len(given), dtype=np.int64)
    positions[wanted_order] = order
    return positions if _equal(given[positions], wanted) else None  # equal codes alone prove nothing


def _is_plain(block: bytes) -> bool:
    return b'"' not in block and b"\r" not in block


def _append(parts: list[np.ndarray], block: bytes, end: int, columns: int, first: int, count: int) -> bool:
    """Add the keys of the whole lines up to `end`; False when they are not plain."""
    if not end:
        return True
    if not _is_plain(block):
        return False
    cells = np.frombuffer(block, np.uint8, end)
    line_ends = cells == _LINE_END
    breaks = np.flatnonzero((cells == _COMMA) | line_ends)
    if len(breaks) != columns * np.count_nonzero(line_ends):
        return False
    by_row = breaks.reshape(-1, columns)
    if not line_ends[by_row[:, -1]].all():
        return False
    ends = by_row[:, first + count - 1]
    starts = by_row[:, first - 1] + 1 if first else np.r_[0, by_row[:-1, -1] + 1]
    lengths = ends - starts
    width = int(lengths.max())
    if not lengths.min() or width > MAX_WIDTH:
        return False
    padded = np.concatenate([cells, np.zeros(width, np.uint8)])
    from_everywhere: np.ndarray = np.ndarray(len(cells), dtype=f"V{width}", buffer=padded, strides=(1,))
    keys = from_everywhere[starts].view(np.uint8).reshape(-1, width)
    keys *= np.arange(width) < lengths[:, None]
    parts.append(keys.view(f"S{width}").ravel())
    return True


def _equal(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two arrays of the same shape and dtype are equal, piece by piece: most unequal ones differ at once."""
    a, b = one.view(np.uint8), two.view(np.uint8)
    return all(np.array_equal(a[i : i + _PIECE], b[i : i + _PIECE]) for i in range(0, len(a), _PIECE))


def _hashed(keys: np.ndarray) -> np.ndarray:
    """A 64-bit code of each key."""
    words = -(-keys.dtype.itemsize // 8)
    parts = keys.astype(f"S{8 * words}").view(np.uint64).reshape(-1, words)
    codes = np.zeros(len(keys), np.uint64)
    for word in range(words):
        codes = (codes ^ parts[:, word]) * _ODD
        codes ^= codes >> np.uint64(32)
    return codes
