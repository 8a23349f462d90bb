"""Samples of train.json, 20 % to the test set (seed 0), in drawn order; agents get everything packed as 7z."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mlebench.data.sevenzip import stream_7z, write_7z
from mlebench.data.splits import split_items
from mlebench.data.tables import csv_bytes, write_csv
from mlebench.errors import DataError

MEMBER = "data/processed/{}.json"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    records = json.loads(b"".join(_unpacked(raw, "train")))
    fields = list(_first_record(_unpacked(raw, "test")))
    _expect_equal_fields(records, set(fields) | {"is_iceberg"})
    train, test = split_items(records, 0.2)
    write_7z(public / "train.json.7z", [("train.json", json.dumps(train).encode())])
    shown = [{field: record[field] for field in fields} for record in test]
    write_7z(public / "test.json.7z", [("test.json", json.dumps(shown).encode())])

    answers = pd.DataFrame(test, columns=["id", "is_iceberg"])
    sample = answers.assign(is_iceberg=0.5)
    write_csv(answers, private / "test.csv")
    write_csv(sample, private / "sample_submission.csv")
    write_7z(public / "sample_submission.csv.7z", [("sample_submission.csv", csv_bytes(sample))])


def _unpacked(raw: Path, name: str) -> Iterator[bytes]:
    return stream_7z(raw / f"{name}.json.7z", MEMBER.format(name))


def _first_record(pieces: Iterator[bytes]) -> dict[str, Any]:
    """The first object of a JSON list, read no further than its end: Kaggle's test set has 1.5 GB."""
    text, decoder = "", json.JSONDecoder()
    for piece in codecs.iterdecode(pieces, "utf-8"):
        text += piece
        try:
            return decoder.raw_decode(text.lstrip(" \t\r\n[").lstrip())[0]
        except json.JSONDecodeError:
            continue
    raise DataError("test.json is no list of samples; fetch the raw data again.")


def _expect_equal_fields(records: list[dict[str, Any]], fields: set[str]) -> None:
    for record in records:
        if record.keys() != fields:
            raise DataError(f"The samples of train.json should have the fields {sorted(fields)}; fetch it again.")
