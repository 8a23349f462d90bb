"""Run-length encoded masks: cells of "start length start length ..." and arithmetic on their runs.

Masks stay lists of runs wherever a number is all that is asked: a whole-slide mask of a gigapixel has some thousand
runs. Which pixel a position means (down the columns, along the rows) matters only where pixels are drawn, in
`encode_mask` and `decode_mask`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mlebench.errors import InvalidSubmissionError, Reason

_BYTE_IS_DIGIT = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))
_BYTE_IS_PLAIN = _BYTE_IS_DIGIT | np.isin(np.arange(256), np.frombuffer(b" \t\n\r\x0b\x0c", np.uint8))
_PLAIN_DIGITS = 18
"""Numbers of up to this many digits always fit in 64 bits."""


@dataclass(frozen=True)
class RunLists:
    """The runs of many masks, mask after mask; within a mask sorted and disjoint."""

    starts: np.ndarray
    """First pixel of each run, from 0; int64 (runs,)."""
    ends: np.ndarray
    """Pixel past the last one of each run; int64 (runs,)."""
    offsets: np.ndarray
    """The runs of mask i are offsets[i] to offsets[i + 1] - 1; int64 (masks + 1,)."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def owners(self) -> np.ndarray:
        """The mask each run belongs to; int64 (runs,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def areas(self) -> np.ndarray:
        """Pixels of each mask; int64 (masks,)."""
        return _sums(self.ends - self.starts, self.offsets)

    def clipped(self, sizes: npt.ArrayLike) -> RunLists:
        """Runs cut at the end of their image: mask i has the pixels 0 to sizes[i] - 1."""
        limits = np.broadcast_to(np.asarray(sizes, dtype=np.int64), (len(self),))[self.owners()]
        starts = np.minimum(self.starts, limits)
        return RunLists(starts, np.clip(self.ends, starts, limits), self.offsets)

    def select(self, masks: np.ndarray) -> RunLists:
        """The masks at these positions, in this order."""
        counts = np.diff(self.offsets)[masks]
        offsets = np.r_[0, np.cumsum(counts)]
        runs = np.arange(offsets[-1]) + np.repeat(self.offsets[masks] - offsets[:-1], counts)
        return RunLists(self.starts[runs], self.ends[runs], offsets)

    def pixels(self) -> np.ndarray:
        """Every pixel of every mask, run after run; int64 (sum of areas,)."""
        lengths = self.ends - self.starts
        before = np.cumsum(lengths) - lengths
        return np.arange(lengths.sum()) + np.repeat(self.starts - before, lengths)


def intersection_areas(a: RunLists, b: RunLists) -> np.ndarray:
    """Pixels that mask i of `a` and mask i of `b` share, for every i, in O(runs log runs); int64 (masks,).

    The area of the union is the sum of both areas less this.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} masks cannot be compared with {len(b)}")
    # All masks are laid on one line, each on a stretch of its own, so that one search serves them all.
    reach = np.maximum(_reach(a), _reach(b))
    stretch = np.cumsum(reach) - reach
    shift_a, shift_b = stretch[a.owners()], stretch[b.owners()]
    starts, ends = b.starts + shift_b, b.ends + shift_b
    covered = np.r_[0, np.cumsum(ends - starts)]

    def below(x: np.ndarray) -> np.ndarray:
        """Pixels of `b` before x."""
        started = np.searchsorted(starts, x, side="right")
        last_end = np.r_[0, ends][started]
        return covered[started] - np.clip(last_end - x, 0, None)

    return _sums(below(a.ends + shift_a) - below(a.starts + shift_a), a.offsets)


def parse_masks(cells: Sequence[object] | np.ndarray, column: str, *, empty: str = "") -> RunLists:
    """Masks written as 1-based "start length" pairs, one cell a mask; a missing, blank or `empty` cell has no pixel.

    Numbers are whatever int() reads; starts ascend, starts and lengths are positive, runs do not overlap. Two things
    look wrong but are read as the published decoder reads them: three numbers use the one length for both starts,
    and a single number is an empty mask. Anything else is an InvalidSubmissionError that names the row.
    """
    texts = [cell if isinstance(cell, str) and cell != empty else "" for cell in cells]
    values, counts = _numbers(texts, column)
    if (counts % 2).any():
        for row in np.flatnonzero(counts % 2).tolist():
            texts[row] = _even(texts[row], column, row)
        values, counts = _numbers(texts, column)
    offsets = np.r_[0, np.cumsum(counts // 2)]
    starts, lengths = values[0::2] - 1, values[1::2]

    def refuse(run: int, sentence: str) -> None:
        raise _invalid(column, int(np.searchsorted(offsets, run, side="right")) - 1, sentence)

    if not (values > 0).all():
        token = int(np.argmax(values <= 0))
        refuse(token // 2, f"starts and lengths count from 1, but {values[token]} occurs")
    ends = starts + lengths
    follows = np.ones(len(starts), dtype=bool)
    follows[offsets[:-1][counts > 0]] = False
    follows = np.flatnonzero(follows)
    bad = follows[ends[follows - 1] > starts[follows]]
    bad = np.union1d(bad, follows[starts[follows - 1] > starts[follows]])
    if bad.size:
        run = int(bad[0])
        pair, last = f"'{starts[run] + 1} {lengths[run]}'", f"'{starts[run - 1] + 1} {lengths[run - 1]}'"
        refuse(run, f"runs must ascend without overlap, but {pair} follows {last}")
    return RunLists(starts, ends, offsets)


def check_masks(cells: Sequence[object] | np.ndarray, column: str, *, empty: str = "") -> None:
    """Refuse a prediction column that cannot be read as masks: InvalidSubmissionError naming the row and the fault."""
    _refuse_numeric_column(cells, column)
    parse_masks(cells, column, empty=empty)


def _refuse_numeric_column(cells: Sequence[object] | np.ndarray, column: str) -> None:
    """Refuse a column of single numbers: the published reader takes it for numbers, and its decoder then fails."""
    tokens = (cell.split(None, 1) for cell in cells if isinstance(cell, str) and cell)
    numeric = [len(parts) == 1 and parts[0].lstrip("+-").isdigit() for parts in tokens]
    if numeric and all(numeric):
        raise InvalidSubmissionError(
            Reason.BAD_FORMAT,
            f"Column {column} holds only single numbers; a mask is written as pairs 'start length start length ...'.",
        )


def encode_mask(mask: npt.ArrayLike, *, order: Literal["C", "F"] = "F", empty: str = "") -> str:
    """The cell of a mask: its maximal runs of non-zero pixels as 1-based "start length" pairs.

    order "F" counts pixels down the columns and then to the right, "C" along the rows and then down.
    """
    return encode_runs(*mask_runs(mask, order=order), empty=empty)


def mask_runs(mask: npt.ArrayLike, *, order: Literal["C", "F"] = "F") -> tuple[np.ndarray, np.ndarray]:
    """0-based starts and ends (past the last pixel) of the maximal runs of non-zero pixels."""
    flat = np.asarray(mask).astype(bool).ravel(order=order)
    edges = np.flatnonzero(np.diff(np.r_[False, flat, False]))
    return edges[0::2], edges[1::2]


def encode_runs(starts: np.ndarray, ends: np.ndarray, *, empty: str = "") -> str:
    """The cell of sorted 0-based runs."""
    pairs = np.column_stack([starts + 1, ends - starts]).ravel()
    return " ".join(map(str, pairs.tolist())) or empty


def decode_mask(cell: str, height: int, width: int, *, order: Literal["C", "F"] = "F") -> np.ndarray:
    """The mask of a cell as bool (height, width); runs are cut at the last pixel."""
    flat = np.zeros(height * width, dtype=bool)
    flat[parse_masks([cell], "mask").clipped(height * width).pixels()] = True
    return flat.reshape((height, width), order=order)


def _sums(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    totals = np.r_[0, np.cumsum(values)]
    return totals[offsets[1:]] - totals[offsets[:-1]]


def _reach(runs: RunLists) -> np.ndarray:
    """Pixel past the last one of each mask."""
    last = np.r_[0, runs.ends][runs.offsets[1:]]
    return np.where(np.diff(runs.offsets) > 0, last, 0)


def _numbers(texts: list[str], column: str) -> tuple[np.ndarray, np.ndarray]:
    """All numbers of all cells in one array, and how many each cell has."""
    for row, text in enumerate(texts):
        if not text.isascii():
            texts[row] = _plain(text, column, row)
    while True:
        joined = " ".join(texts).encode()
        codes = np.frombuffer(joined, np.uint8)
        cell_starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
        is_digit = _BYTE_IS_DIGIT[codes]
        edges = np.flatnonzero(np.diff(np.r_[False, is_digit, False]))
        token_starts, token_ends = edges[0::2], edges[1::2]
        odd = np.flatnonzero(~_BYTE_IS_PLAIN[codes])
        odd = np.r_[odd, token_starts[token_ends - token_starts > _PLAIN_DIGITS]]
        if not odd.size:
            break
        for row in np.unique(np.searchsorted(cell_starts, odd, side="right") - 1).tolist():
            texts[row] = _plain(texts[row], column, row)
    counts = np.diff(np.searchsorted(token_starts, cell_starts))
    values = np.fromstring(joined.decode(), dtype=np.int64, sep=" ") if token_starts.size else np.zeros(0, np.int64)
    return values, counts


def _plain(text: str, column: str, row: int) -> str:
    """A cell with unusual characters, rewritten with plain digits as int() reads its numbers."""
    numbers = []
    for token in text.split():
        try:
            numbers.append(int(token))
        except ValueError:
            shown = token if len(token) <= 20 else token[:17] + "..."
            raise _invalid(column, row, f"{shown!r} is no whole number") from None
    for number in numbers:
        if not 0 < number < 10**_PLAIN_DIGITS:
            raise _invalid(column, row, f"starts and lengths count from 1 to 10^{_PLAIN_DIGITS}, but {number} occurs")
    return " ".join(map(str, numbers))


def _even(text: str, column: str, row: int) -> str:
    tokens = text.split()
    if len(tokens) == 3:
        return f"{text} {tokens[1]}"
    if len(tokens) == 1:
        if int(tokens[0]) <= 0:
            raise _invalid(column, row, f"starts count from 1, but {tokens[0]} occurs")
        return ""
    raise _invalid(column, row, f"{len(tokens)} numbers are no pairs of start and length")


def _invalid(column: str, row: int, sentence: str) -> InvalidSubmissionError:
    return InvalidSubmissionError(Reason.BAD_FORMAT, f"Column {column}, row {row + 1}: {sentence}.")
