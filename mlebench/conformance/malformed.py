"""Malformed submissions: from one well-formed submission, all the ways in which people and agents break it.

Each kind is a function that writes a broken file; it returns the path, or None where the kind cannot be wrong for
this competition (an empty text where empty texts are allowed, ids where ids are not read).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mlebench.competition import Columns, Competition


@dataclass(frozen=True)
class Wellformed:
    """A valid submission as text cells, to be broken."""

    competition: Competition
    columns: dict[str, Columns]
    table: pd.DataFrame
    """Every cell a string, exactly as in the CSV."""
    folder: Path
    """Where broken files are written."""

    def path(self, name: str = "submission.csv") -> Path:
        """Where this kind writes its file."""
        return self.folder / name

    def write(self, table: pd.DataFrame, **options: object) -> Path:
        """Write a broken table as CSV."""
        table.to_csv(self.path(), index=False, **options)
        return self.path()

    def write_bytes(self, content: bytes, name: str = "submission.csv") -> Path:
        """Write broken bytes."""
        self.path(name).write_bytes(content)
        return self.path(name)

    @property
    def by_id(self) -> bool:
        """Whether rows are matched by their ids."""
        return self.competition.submission.align in ("id", "file")

    def first(self, *types: str, missing: bool | None = None) -> str | None:
        """The first prediction column of one of these types (and, when asked, that refuses missing cells)."""
        for name, spec in self.columns.items():
            if spec.type in types and (missing is None or (spec.missing == "invalid") == missing):
                return name
        return None

    def with_cell(self, column: str, cell: str) -> Path:
        """The submission with one cell of its last row replaced."""
        table = self.table.copy()
        table.loc[len(table) - 1, column] = cell
        return self.write(table)


Kind = Callable[[Wellformed], Path | None]
KINDS: dict[str, Kind] = {}
NUMERIC = ("number", "integer", "boolean")


def kind(function: Kind) -> Kind:
    """Register a way of being malformed under its function's name."""
    KINDS[function.__name__] = function
    return function


@kind
def no_file(s: Wellformed) -> Path:
    return s.path("nothing-here.csv")


@kind
def empty_file(s: Wellformed) -> Path:
    return s.write_bytes(b"")


@kind
def blank_lines_only(s: Wellformed) -> Path:
    return s.write_bytes(b"\n\n\n")


@kind
def header_only(s: Wellformed) -> Path:
    return s.write(s.table.iloc[:0])


@kind
def a_folder(s: Wellformed) -> Path:
    s.path().mkdir()
    return s.path()


@kind
def a_symlink(s: Wellformed) -> Path:
    target = s.write(s.table).rename(s.path("target.csv"))
    s.path().symlink_to(target)
    return s.path()


@kind
def a_pipe(s: Wellformed) -> Path:
    os.mkfifo(s.path())
    return s.path()


@kind
def wrong_suffix(s: Wellformed) -> Path:
    return s.write(s.table).rename(s.path("submission.txt"))


@kind
def not_utf8(s: Wellformed) -> Path:
    return s.write_bytes(s.write(s.table).read_bytes() + b"caf\xe9\n")


@kind
def utf16(s: Wellformed) -> Path:
    return s.write_bytes(s.write(s.table).read_bytes().decode().encode("utf-16"))


@kind
def nul_bytes(s: Wellformed) -> Path:
    return s.write_bytes(s.write(s.table).read_bytes() + b"\0\0\0")


@kind
def a_picture(s: Wellformed) -> Path:
    return s.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)


@kind
def damaged_gzip(s: Wellformed) -> Path:
    import gzip

    whole = gzip.compress(s.write(s.table).read_bytes())
    return s.write_bytes(whole[: len(whole) // 2], "submission.csv.gz")


@kind
def damaged_zip(s: Wellformed) -> Path:
    return s.write_bytes(b"PK\x03\x04 this is no archive", "submission.zip")


@kind
def damaged_parquet(s: Wellformed) -> Path:
    return s.write_bytes(b"PAR1 this is no table PAR1", "submission.parquet")


@kind
def semicolons(s: Wellformed) -> Path | None:
    return s.write(s.table, sep=";") if s.table.shape[1] > 1 else None


@kind
def no_header(s: Wellformed) -> Path:
    return s.write(s.table, header=False)


@kind
def unbalanced_quote(s: Wellformed) -> Path:
    return s.write_bytes(s.write(s.table).read_bytes() + b'"an open quote\n')


@kind
def too_many_cells(s: Wellformed) -> Path:
    lines = s.write(s.table).read_bytes().splitlines(keepends=True)
    return s.write_bytes(b"".join(lines[:-1]) + lines[-1].rstrip() + b",1,2,3\n")


@kind
def json_instead(s: Wellformed) -> Path:
    return s.write_bytes(s.table.head(3).to_json(orient="records").encode())


@kind
def missing_id_column(s: Wellformed) -> Path | None:
    if s.competition.submission.align == "position":
        return None
    return s.write(s.table.drop(columns=s.competition.id_columns[0]))


@kind
def missing_prediction_column(s: Wellformed) -> Path:
    return s.write(s.table.drop(columns=next(iter(s.columns))))


@kind
def duplicate_column(s: Wellformed) -> Path:
    name = next(iter(s.columns))
    table = pd.concat([s.table, s.table[name]], axis=1)
    return s.write(table)


@kind
def missing_rows(s: Wellformed) -> Path | None:
    if s.competition.submission.rows == "any":
        return None
    first = s.table[s.competition.id_columns[0]].iloc[-1] if s.by_id else None
    kept = s.table if first is None else s.table[s.table[s.competition.id_columns[0]] != first]
    return s.write(kept if len(kept) < len(s.table) else s.table.iloc[:-1])


@kind
def extra_rows(s: Wellformed) -> Path | None:
    if s.competition.submission.rows == "any" or s.competition.submission.extra_ids == "ignore":
        return None
    row = s.table.iloc[[-1]].copy()
    if s.by_id:
        row[s.competition.id_columns[0]] = "no-such-id"
    return s.write(pd.concat([s.table, row]))


@kind
def duplicate_ids(s: Wellformed) -> Path | None:
    if not s.by_id or len(s.table) < 2 or s.competition.submission.rows == "any":
        return None
    table = s.table.copy()
    for name in s.competition.id_columns:
        table.loc[len(table) - 1, name] = table.loc[0, name]
    return s.write(table)


@kind
def retyped_ids(s: Wellformed) -> Path | None:
    if not s.by_id:
        return None
    name = s.competition.id_columns[0]
    table = s.table.copy()
    table[name] = "id-" + table[name]
    return s.write(table)


@kind
def empty_id(s: Wellformed) -> Path | None:
    return s.with_cell(s.competition.id_columns[0], "") if s.by_id else None


@kind
def empty_cell(s: Wellformed) -> Path | None:
    name = s.first(*NUMERIC, "text", missing=True)
    return s.with_cell(name, "") if name else None


@kind
def not_a_number_cell(s: Wellformed) -> Path | None:
    name = s.first(*NUMERIC, missing=True)
    return s.with_cell(name, "nan") if name else None


@kind
def infinite_cell(s: Wellformed) -> Path | None:
    name = s.first(*NUMERIC)
    return s.with_cell(name, "inf") if name and s.columns[name].infinite == "invalid" else None


@kind
def words_as_numbers(s: Wellformed) -> Path | None:
    name = s.first(*NUMERIC)
    return s.with_cell(name, "maybe") if name else None


@kind
def decimal_comma(s: Wellformed) -> Path | None:
    name = s.first(*NUMERIC)
    return s.with_cell(name, "0,5") if name else None


@kind
def fractional_class(s: Wellformed) -> Path | None:
    name = s.first("integer", "boolean")
    return s.with_cell(name, "1.5") if name else None


@kind
def out_of_range(s: Wellformed) -> Path | None:
    for name, spec in s.columns.items():
        if spec.max is not None:
            return s.with_cell(name, str(spec.max + 1))
        if spec.min is not None or spec.above is not None:
            bound = spec.min if spec.min is not None else spec.above
            return s.with_cell(name, str((bound or 0.0) - 1))
    return None


@kind
def unknown_class(s: Wellformed) -> Path | None:
    for name, spec in s.columns.items():
        if spec.labels:
            return s.with_cell(name, "no such class")
    return None


@kind
def numbers_as_texts(s: Wellformed) -> Path | None:
    for name, spec in s.columns.items():
        if spec.all_numbers == "invalid":
            return s.write(s.table.assign(**{name: "7"}))
    return None


@kind
def rows_do_not_add_up(s: Wellformed) -> Path | None:
    if s.competition.submission.row_sum is None:
        return None
    return s.with_cell(next(iter(s.columns)), "0.987654")


@kind
def swapped_columns(s: Wellformed) -> Path | None:
    if not s.competition.submission.in_order:
        return None
    first, second = list(s.columns)[:2]
    return s.write(s.table.rename(columns={first: second, second: first}))


@kind
def surplus_column(s: Wellformed) -> Path | None:
    if s.competition.submission.extra_columns != "reject":
        return None
    return s.write(s.table.assign(comment="x"))
