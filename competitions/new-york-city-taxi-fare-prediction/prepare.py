"""Rides of train.csv, 9,914 of them to the test set (seed 0), in drawn order, without holding all 55 million."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.files import link
from mlebench.data.raw_files import open_raw
from mlebench.data.reorder import Part, write_csv_at
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import write_csv

TEST_ROWS = 9914
SAMPLE_FARE = 11.35
CHUNK = 1_000_000
TYPES = {
    "fare_amount": float,
    "pickup_longitude": float,
    "pickup_latitude": float,
    "dropoff_longitude": float,
    "dropoff_latitude": float,
}
"""What pandas infers on the whole table; in a chunk of it, it might see whole numbers only."""


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    rows = _count_rows(raw)
    places = _places(rows, min(TEST_ROWS, rows // 5))
    hidden: list[pd.DataFrame] = []
    write_csv_at(_train_parts(raw, places, hidden), public / "labels.csv", int((places >= 0).sum()))

    answers = pd.concat(hidden)
    answers = answers.iloc[np.argsort(places[answers.index])]
    write_csv(answers, private / "test.csv")
    write_csv(answers.drop(columns="fare_amount"), public / "test.csv")
    write_csv(answers[["key"]].assign(fare_amount=SAMPLE_FARE), public / "sample_submission.csv")
    link(raw / "GCP-Coupons-Instructions.rtf", public / "GCP-Coupons-Instructions.rtf")


def _places(rows: int, tests: int) -> np.ndarray:
    """Where each ride goes: to a place at or above 0 in train, or below 0 in test, where -1 is the last."""
    train, test = train_test_positions(rows, tests)
    places = np.empty(rows, np.int64)
    places[train] = np.arange(len(train))
    places[test] = np.arange(-len(test), 0)
    return places


def _train_parts(raw: Path, places: np.ndarray, hidden: list[pd.DataFrame]) -> Iterator[Part]:
    """Train rides with their places, chunk by chunk; test rides are put into `hidden`, indexed by row number."""
    with open_raw(raw / "train.csv") as file, pd.read_csv(file, dtype=TYPES, chunksize=CHUNK) as chunks:
        for chunk in chunks:
            own = places[chunk.index]
            hidden.append(chunk[own < 0])
            yield chunk[own >= 0], own[own >= 0]


def _count_rows(raw: Path) -> int:
    """Rides as the reader counts them, which passes over blank lines."""
    with open_raw(raw / "train.csv") as file, pd.read_csv(file, usecols=["passenger_count"], chunksize=CHUNK) as chunks:
        return sum(len(chunk) for chunk in chunks)
