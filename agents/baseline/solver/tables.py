"""Tables among the public files: CSV, TSV, JSON, JSON lines; plain, gzipped or inside a zip."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

FORMATS = {".csv": ",", ".tsv": "\t", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
MOST_CELLS = 20_000_000
"""Cells of a training table that are kept; rows are drawn at random beyond."""
DEPTH = 2
MOST_ENTRIES = 5_000
"""Entries of one folder that are looked at: a folder with more holds pictures or recordings, not tables."""
MOST_MEMBERS = 20
"""Members of a zip that is taken for zipped tables."""
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A", "n/a", "-nan", "-NaN"]
"""Words for a missing number; in text columns they are words like any other."""
ROWS_LOOKED_AT = 2_000
CHUNK = 200_000


@dataclass(frozen=True)
class TableFile:
    """A table that can be read."""

    path: Path
    member: str | None
    """Name inside the zip."""
    format: str
    """A value of FORMATS."""

    @property
    def name(self) -> str:
        """File name of the table itself, in lower case and without suffixes."""
        return Path(self.member or self.path.name).name.lower().split(".")[0]

    @property
    def words(self) -> set[str]:
        """The words of the name: {'en', 'train'} of en_train."""
        return set(re.findall(r"[a-z]+", self.name))

    @property
    def size(self) -> int:
        """Bytes of the unpacked table (a guess for gzip)."""
        if self.member:
            with zipfile.ZipFile(self.path) as archive:
                return archive.getinfo(self.member).file_size
        return self.path.stat().st_size * (5 if self.path.suffix == ".gz" else 1)

    def open(self) -> IO[bytes]:
        """The table's bytes."""
        if self.member:
            return zipfile.ZipFile(self.path).open(self.member)
        return gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb")  # type: ignore[return-value]


def find_tables(root: Path) -> list[TableFile]:
    """All tables up to two folders deep; a table that is there both plain and zipped is listed once, plain."""
    found: dict[str, TableFile] = {}
    for path in _files(root, DEPTH):
        for table in _tables_of(path):
            known = found.get(table.name)
            if known is None or (known.member and not table.member):
                found[table.name] = table
    return list(found.values())


def tables_at(path: Path) -> list[TableFile]:
    """The tables one file holds."""
    return _tables_of(path)


def _files(folder: Path, depth: int) -> list[Path]:
    with os.scandir(folder) as entries:
        listed = sorted((entry for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False)), key=lambda e: e.name)
    files = [Path(entry.path) for entry in listed if entry.is_file()]
    for entry in listed:
        if depth and entry.is_dir():
            files += _files(Path(entry.path), depth - 1)
    return files


def _tables_of(path: Path) -> list[TableFile]:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if not suffixes:
        return []
    if suffixes[-1] in FORMATS:
        return [TableFile(path, None, FORMATS[suffixes[-1]])]
    if suffixes[-1] == ".gz" and suffixes[0] in FORMATS:
        return [TableFile(path, None, FORMATS[suffixes[0]])]
    if suffixes[-1] == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
        if len(members) <= MOST_MEMBERS:
            kinds = ((name, Path(name).suffix.lower()) for name in members)
            return [TableFile(path, name, FORMATS[suffix]) for name, suffix in kinds if suffix in FORMATS]
    return []


def column_names(table: TableFile) -> list[str]:
    """The table's header (for JSON: the keys of the first record)."""
    if table.format in ("json", "jsonl"):
        return list(read_text_table(table, rows=1).columns)
    with table.open() as file:
        header = next(csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""), delimiter=table.format), [])
    return list(header)


def read_text_table(table: TableFile, rows: int | None = None) -> pd.DataFrame:
    """The table (or its first rows) with every cell as text, nothing guessed."""
    if table.format in ("json", "jsonl"):
        frame = _read_json(table)
        return (frame if rows is None else frame.head(rows)).astype(str)
    with table.open() as file:
        return pd.read_csv(file, sep=table.format, dtype=str, keep_default_na=False, na_filter=False, nrows=rows)


def read_table(table: TableFile, *, as_text: tuple[str, ...] = (), cells: int | None = None, seed: int = 0):
    """The table with numbers as numbers and text as it stands; with `cells`, a random part of that size at most."""
    if table.format in ("json", "jsonl"):
        frame = _read_json(table)
        for name in as_text:
            if name in frame:
                frame[name] = frame[name].astype(str)
    else:
        frame = _read_separated(table, as_text, cells, seed)
    if cells and frame.size > cells:
        frame = frame.sample(cells // frame.shape[1], random_state=seed).sort_index()
    return frame.reset_index(drop=True)


def _read_separated(table: TableFile, as_text: tuple[str, ...], cells: int | None, seed: int) -> pd.DataFrame:
    head = read_text_table(table, rows=ROWS_LOOKED_AT)
    numbers = [name for name in head if name not in as_text and _is_number(head[name])]
    options = {
        "sep": table.format,
        "dtype": {name: str for name in head if name not in numbers},
        "na_values": {name: MISSING for name in numbers},
        "keep_default_na": False,
        "low_memory": False,
    }
    row_bytes = max(1.0, head.map(len).to_numpy().sum() / max(1, len(head)) + head.shape[1])
    rows = table.size / row_bytes
    share = 1.0 if cells is None else min(1.0, cells / (rows * head.shape[1]))
    with table.open() as file:
        if share == 1.0:
            return pd.read_csv(file, **options)
        random = np.random.default_rng(seed)
        chunks = pd.read_csv(file, chunksize=CHUNK, **options)
        return pd.concat([chunk[random.random(len(chunk)) < share] for chunk in chunks])


def _is_number(cells: pd.Series) -> bool:
    filled = cells[~cells.isin(MISSING)]
    return len(filled) > 0 and bool(pd.to_numeric(filled, errors="coerce").notna().all())


def _read_json(table: TableFile) -> pd.DataFrame:
    with table.open() as file:
        records = [json.loads(line) for line in file if line.strip()] if table.format == "jsonl" else json.load(file)
    frame = pd.DataFrame(records)
    for name in frame:
        if frame[name].map(lambda cell: isinstance(cell, (list, dict))).any():
            # A list of words (tags, groups) becomes a text of words.
            frame[name] = frame[name].map(
                lambda cell: " ".join(map(str, cell)) if isinstance(cell, list) else str(cell)
            )
    return frame
