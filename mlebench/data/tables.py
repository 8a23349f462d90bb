"""Reading and writing the tables of a recipe exactly as the published benchmark's recipes do.

v1 promises the same bytes, so these functions are the only place where a recipe's CSV dialect is decided:
pandas' default parsing (its words for missing cells included; floats are read exactly) and pandas' default
writing without an index.
"""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd

from mlebench.data.raw_files import local_file, open_raw
from mlebench.errors import DataError


def read_csv(source: Path | IO[bytes], **options: Any) -> pd.DataFrame:
    """Read a raw CSV with pandas' defaults; floats round-trip, so that writing them again gives the same text."""
    if isinstance(source, Path) and not source.is_file():
        source = open_raw(source)
    return pd.read_csv(source, **options)


def write_csv(frame: pd.DataFrame, path: Path | IO[bytes], **options: Any) -> None:
    """Write a table as CSV without its index; UTF-8, line feeds, minimal quoting unless told otherwise."""
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, mode="w" if isinstance(path, Path) else "wb", **options)


def csv_bytes(frame: pd.DataFrame, **options: Any) -> bytes:
    """What `write_csv` would write, for members of archives and for tables that are written in pieces."""
    return frame.to_csv(index=False, **options).encode()


ROW_GROUP = 50_000_000
"""Most rows of a row group in a parquet file, fastparquet's own default."""


def read_parquet(path: Path, *, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a parquet table, or some columns of it; DataError when it is missing, damaged or without rows."""
    groups = list(read_parquet_groups(path, columns=columns))
    if not groups:
        raise DataError(f"{path.name} holds no rows; fetch it again.")
    return pd.concat(groups)


def read_parquet_groups(path: Path, *, columns: list[str] | None = None) -> Iterator[pd.DataFrame]:
    """Read a parquet table row group by row group, for tables that are larger than memory; DataError as `read_parquet`."""
    with ExitStack() as opened:
        try:
            local = opened.enter_context(local_file(path))
        except FileNotFoundError:
            raise DataError(f"The raw file {path} is missing; fetch the raw data again.") from None
        with _parquet_damage_told(path):
            from fastparquet import ParquetFile

            groups = ParquetFile(str(local)).iter_row_groups(columns=columns)
        while True:
            with _parquet_damage_told(path):
                frame = next(groups, None)
            if frame is None:
                return
            yield frame


def write_parquet(frame: pd.DataFrame, path: Path, *, index: bool = False) -> None:
    """Write a table as snappy-compressed parquet, with its index only when told."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _quiet():
        frame.to_parquet(path, engine="fastparquet", compression="snappy", index=index)


def write_parquet_parts(parts: Iterable[pd.DataFrame], path: Path, rows: int) -> None:
    """Write tables of `rows` rows in all, one after another, to the file that `write_parquet` makes of them as one."""
    from fastparquet import write

    path.parent.mkdir(parents=True, exist_ok=True)
    groups = max(1, -(-rows // ROW_GROUP))
    size = max(1, -(-rows // groups))  # row groups are as large as one another
    kept: list[pd.DataFrame] = []
    count = 0
    for part in parts:
        kept.append(part)
        count += len(part)
        if count < size:
            continue
        table = pd.concat(kept, ignore_index=True)
        while len(table) >= size:
            with _quiet():
                write(str(path), table.iloc[:size], compression="SNAPPY", write_index=False, append=path.exists())
            table = table.iloc[size:]
        kept, count = [table], len(table)
    rest = pd.concat(kept, ignore_index=True)
    if len(rest) or not path.exists():
        with _quiet():
            write(str(path), rest, compression="SNAPPY", write_index=False, append=path.exists())


@contextmanager
def _quiet() -> Iterator[None]:
    """fastparquet still looks at pandas options that are going away, and pandas says so each time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _parquet_damage_told(path: Path) -> Iterator[None]:
    """Around fastparquet's reading, which on damage raises whatever comes, or prints and goes on."""
    try:
        with _quiet(), redirect_stdout(cast("IO[str]", _Damage(sys.stdout))):
            yield
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # the disk's complaint
            raise
        # Only its name, since it may lie in a folder that goes with the run.
        raise DataError(
            f"{path.name} is no readable parquet table with the columns that are needed; fetch it again."
        ) from error


class _Damage:
    """Stands for the standard output: where fastparquet would print that it found damage, that is raised."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def write(self, text: str) -> int:
        if text.startswith("Corrupted thrift data"):
            raise ValueError("its description is damaged")
        return self._output.write(text)
