"""Rows of Train.csv, 10 % to the test set (seed 0), in drawn order; the 7 GB table is never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from mlebench.data.archives import open_member
from mlebench.data.reorder import Part, in_places
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import read_csv

ROWS_AT_ONCE = 100_000
FREQUENT = "javascript c# python php java"
QUESTION = ["Id", "Title", "Body"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    rows = sum(len(piece) for piece in _pieces(raw, usecols=["Id"]))
    train, test = train_test_positions(rows, 0.1)
    places = np.empty(rows, np.int64)
    places[np.concatenate([test, train])] = np.arange(rows)
    blocks = in_places(_placed(_pieces(raw), places), rows, private, band=ROWS_AT_ONCE)
    with (
        _table(public / "train.csv", [*QUESTION, "Tags"]) as train_out,
        _table(public / "test.csv", QUESTION) as test_out,
        _table(public / "sample_submission.csv", [*QUESTION, "Tags"]) as sample_out,
        _table(private / "test.csv", [*QUESTION, "Tags"]) as answers_out,
    ):
        left = len(test)
        for block in blocks:
            hidden, shown = block.iloc[:left], block.iloc[left:]
            left = max(0, left - len(block))
            _append(hidden, answers_out)
            _append(hidden[QUESTION], test_out)
            _append(hidden.assign(Tags=FREQUENT), sample_out)
            _append(shown, train_out)


def _pieces(raw: Path, **options: Any) -> Iterator[pd.DataFrame]:
    with open_member(raw / "Train.zip", "Train.csv") as file:
        yield from read_csv(file, dtype=str, chunksize=ROWS_AT_ONCE, **options)


def _placed(pieces: Iterator[pd.DataFrame], places: np.ndarray) -> Iterator[Part]:
    return ((piece, places[piece.index]) for piece in pieces)


def _table(path: Path, columns: list[str]) -> IO[str]:
    out = path.open("w", encoding="utf-8", newline="")
    pd.DataFrame(columns=columns).to_csv(out, index=False)
    return out


def _append(rows: pd.DataFrame, out: IO[str]) -> None:
    rows.to_csv(out, index=False, header=False)
