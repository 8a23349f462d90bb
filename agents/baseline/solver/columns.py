"""What each input column is: a number, a category, a code of several parts, or free text."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

WORDS_OF_A_TEXT = 4.0
"""Mean number of words from which a column is free text."""
LOOK_AT = 5_000
"""Rows looked at to decide."""
MOSTLY = 0.95
SEPARATORS = r"[^0-9A-Za-z]+"
MOST_PARTS = 8
MOST_CATEGORIES_SHARE = 0.5
"""A column with more different values than this share of its rows names the rows; it is left out."""


@dataclass
class Columns:
    """The input columns by kind, learnt from the training table."""

    numbers: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    """Columns such as B/45/P or 2012-06-18 that are split, with their number of parts."""

    @property
    def any(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.numbers or self.categories or self.texts)

    @classmethod
    def learn(cls, train: pd.DataFrame, names: list[str]) -> Columns:
        """Decide the kind of each named column."""
        columns = cls()
        for name in names:
            columns._add(name, train[name], split=True)
        return columns

    def _add(self, name: str, cells: pd.Series, *, split: bool) -> None:
        if pd.api.types.is_numeric_dtype(cells):
            if cells.nunique() > 1:
                self.numbers.append(name)
            return
        filled = cells.dropna().astype(str).head(LOOK_AT)
        filled = filled[filled != ""]
        if filled.nunique() < 2:
            return
        if filled.str.split().str.len().mean() >= WORDS_OF_A_TEXT:
            self.texts.append(name)
            return
        parts = filled.str.split(SEPARATORS, regex=True).str.len()
        usual = int(parts.mode().iloc[0])
        if split and 2 <= usual <= MOST_PARTS and (parts == usual).mean() >= MOSTLY and filled.nunique() > 20:
            self.codes[name] = usual
            pieces = split_code(cells, name, usual)
            for piece in pieces:
                self._add(piece, pieces[piece], split=False)
        elif filled.nunique() <= MOST_CATEGORIES_SHARE * len(filled):
            self.categories.append(name)

    def expand(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with the parts of its codes as further columns."""
        parts = [split_code(table[name], name, count) for name, count in self.codes.items()]
        return pd.concat([table, *parts], axis=1) if parts else table


def split_code(cells: pd.Series, name: str, count: int) -> pd.DataFrame:
    """The parts of a code, as numbers where they are numbers."""
    pieces = cells.astype(str).where(cells.notna(), "").str.split(SEPARATORS, regex=True, expand=True)
    pieces = pieces.reindex(columns=range(count))
    pieces.columns = [f"{name}[{part}]" for part in range(count)]
    for piece in pieces:
        values = pd.to_numeric(pieces[piece], errors="coerce")
        filled = pieces[piece].fillna("") != ""
        if filled.any() and values[filled].notna().mean() >= MOSTLY:
            pieces[piece] = values
    return pieces
