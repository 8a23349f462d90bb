"""Reading and writing the tables of a recipe exactly as the published benchmark's recipes do.

v1 promises the same bytes, so these functions are the only place where a recipe's CSV dialect is decided:
pandas' default parsing (its words for missing cells included; floats are read exactly) and pandas' default
writing without an index.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import pandas as pd


def read_csv(source: Path | IO[bytes], **options: Any) -> pd.DataFrame:
    """Read a raw CSV with pandas' defaults; floats round-trip, so that writing them again gives the same text."""
    return pd.read_csv(source, **options)


def write_csv(frame: pd.DataFrame, path: Path, **options: Any) -> None:
    """Write a table as CSV without its index; UTF-8, line feeds, minimal quoting unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, **options)


def csv_bytes(frame: pd.DataFrame, **options: Any) -> bytes:
    """What `write_csv` would write, for members of archives and for tables that are written in pieces."""
    return frame.to_csv(index=False, **options).encode()
