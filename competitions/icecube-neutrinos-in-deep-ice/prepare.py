"""Batches of events, 10 % to the test set (seed 0); rows and batch files stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mlebench.data.files import link, link_all
from mlebench.data.raw_files import list_raw, local_file
from mlebench.data.splits import mark_test_groups
from mlebench.data.tables import read_parquet, read_parquet_groups, write_csv, write_parquet, write_parquet_parts
from mlebench.errors import DataError

TARGETS = ["azimuth", "zenith"]
SLICE = 4_000_000
"""Rows at a time: the real file's row groups may hold half of its 132 million."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with local_file(raw / "train_meta.parquet") as table:
        batches, test_batches = _divide(table, public, private)

    link(raw / "sensor_geometry.csv", public / "sensor_geometry.csv")
    files = {int(path.stem.rpartition("_")[2]): path for path in list_raw(raw / "train", "*.parquet")}
    if absent := batches - set(files):
        raise DataError(f"{raw / 'train'} lacks the file of batch {min(absent)}; fetch the raw data again.")
    parts = {number: "test" if number in test_batches else "train" for number in sorted(batches)}
    link_all((files[number], public / part / files[number].name) for number, part in parts.items())


def _divide(source: Path, public: Path, private: Path) -> tuple[set[int], set[int]]:
    """Write the tables of events of both sides; all batches, and those of the test set."""
    batch_of_row = read_parquet(source, columns=["batch_id"])["batch_id"]
    batches = set(batch_of_row.unique().tolist())
    is_test = mark_test_groups(batch_of_row, 0.1)
    test_batches = set(batch_of_row[is_test].unique().tolist())
    train_rows = int((~is_test).sum())
    del batch_of_row, is_test  # of 132 million rows
    test_parts: list[pd.DataFrame] = []
    write_parquet_parts(_train_parts(source, test_batches, test_parts), public / "train_meta.parquet", train_rows)
    test = pd.concat(test_parts, ignore_index=True)
    write_parquet(test.drop(columns=TARGETS), public / "test_meta.parquet")
    write_csv(test[["event_id", *TARGETS]], private / "test.csv")
    write_csv(test[["event_id"]].assign(azimuth=1, zenith=1), public / "sample_submission.csv")
    return batches, test_batches


def _train_parts(source: Path, test_batches: set[int], test_parts: list[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The training rows, part by part; the test rows are put aside on the way."""
    for group in read_parquet_groups(source):
        for start in range(0, len(group), SLICE):
            part = group.iloc[start : start + SLICE]
            is_test = part["batch_id"].isin(test_batches).to_numpy()
            test_parts.append(part[is_test])
            yield part[~is_test]
