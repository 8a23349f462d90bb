"""Box lists in CSV cells: `a b c a b c ...`, numbers (and names) in groups of a fixed length, flat as arrays.

The fields of a group are the caller's: class, confidence and corners of a box; label and point; nine numbers of a
box in space. Cells are parsed all at once, not box by box: a million boxes take one or two seconds.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from mlebench.errors import InvalidSubmissionError, Reason

_DECIMAL = b"0123456789+-.eE"
_FEW = 1000


@dataclass(frozen=True)
class Boxes:
    """The groups of all cells, in order: cell by cell, and within a cell from left to right."""

    row: np.ndarray
    """(n,) int64: the cell (0-based) in which each group stands."""
    fields: dict[str, np.ndarray]
    """Field name -> (n,) float64, or objects (str) for text fields."""

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, field: str) -> np.ndarray:
        return self.fields[field]

    def stacked(self, fields: Sequence[str]) -> np.ndarray:
        """Several number fields as one (n, len(fields)) array."""
        return np.column_stack([self.fields[field] for field in fields])


def parse_boxes(
    cells: Iterable[object],
    fields: Sequence[str],
    *,
    column: str,
    text: Collection[str] = (),
    finite: bool = True,
    single_blanks: bool = True,
) -> Boxes:
    """Parse every cell into groups of `fields`; numbers are what Python's `float` takes.

    Empty and missing cells hold no group. `text` names the fields that are not numbers; `finite` refuses nan and inf;
    with `single_blanks` a doubled, leading or trailing blank is a fault, else any white space parts the tokens.
    Raises InvalidSubmissionError (BAD_FORMAT) that names the column, the row and the fault.
    """
    separator = " " if single_blanks else None
    split = [cell.split(separator) if isinstance(cell, str) and cell else [] for cell in cells]
    size = len(fields)
    lengths = np.fromiter(map(len, split), np.int64, len(split))
    wrong = lengths % size != 0
    if wrong.any():
        row = int(wrong.argmax())
        _refuse(column, row, f"{lengths[row]} values, which is no multiple of {size} ({' '.join(fields)})")
    tokens = [token for cell in split for token in cell]
    rows = np.repeat(np.arange(len(split)), lengths // size)
    values: dict[str, np.ndarray] = {}
    for position, field in enumerate(fields):
        own = tokens[position::size]
        if field in text:
            values[field] = np.array(own, dtype=object)
        else:
            values[field] = _numbers(own, field, rows, column, finite)
    return Boxes(rows, values)


def format_boxes(ids: np.ndarray, fields: Sequence[np.ndarray]) -> tuple[np.ndarray, list[str]]:
    """The inverse, from groups given field by field: distinct ids in order of appearance, and a cell for each.

    Values are written as Python prints them: 3, 1.0, 691.0.
    """
    distinct, first, row = np.unique(ids, return_index=True, return_inverse=True)
    cells: list[list[str]] = [[] for _ in distinct]
    for index, *group in zip(row.tolist(), *(field.tolist() for field in fields), strict=True):
        cells[index].extend(map(str, group))
    order = np.argsort(first)
    return distinct[order], [" ".join(cells[index]) for index in order]


def _numbers(tokens: list[str], field: str, rows: np.ndarray, column: str, finite: bool) -> np.ndarray:
    try:
        numbers = _floats(tokens)
    except ValueError:
        bad = next(i for i, token in enumerate(tokens) if not _is_number(token))
        _refuse(column, int(rows[bad]), _fault(field, tokens[bad], "no number"))
    if finite and not (ok := np.isfinite(numbers)).all():
        bad = int(ok.argmin())
        _refuse(column, int(rows[bad]), _fault(field, tokens[bad], "not finite"))
    return numbers


def _floats(tokens: list[str]) -> np.ndarray:
    """What float() makes of each token; ValueError if it refuses one."""
    lines = "\n".join(tokens).encode()
    # Plain decimals go through pandas' parser, which gives the same numbers several times as fast.
    plain = len(lines.translate(None, _DECIMAL)) == len(tokens) - 1 and b"\n\n" not in b"\n" + lines + b"\n"
    if plain and len(tokens) > _FEW:
        table = pd.read_csv(
            io.BytesIO(lines), header=None, names=["number"], dtype=np.float64, na_filter=False, skip_blank_lines=False
        )
        return table["number"].to_numpy()
    return np.fromiter(map(float, tokens), np.float64, len(tokens))


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _fault(field: str, token: str, what: str) -> str:
    shown = token if len(token) <= 30 else token[:27] + "..."
    hint = "; values are parted by exactly one blank" if not token else ""
    return f"the {field} {shown!r}, which is {what}{hint}"


def _refuse(column: str, row: int, fault: str) -> NoReturn:
    raise InvalidSubmissionError(Reason.BAD_FORMAT, f"Column {column} holds in row {row + 1} {fault}.")
