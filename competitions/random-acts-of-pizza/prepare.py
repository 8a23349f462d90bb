"""Records of train.json, as large a share to the test set as Kaggle's (seed 0), cut to the fields of Kaggle's test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.data.raw_files import read_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv
from mlebench.errors import DataError

ID, TARGET = "request_id", "requester_received_pizza"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    records, kaggle_test = _records(raw / "train.json"), _records(raw / "test.json")
    train, test = split_items(records, len(kaggle_test) / (len(records) + len(kaggle_test)))
    shown = [{name: record[name] for name in kaggle_test[0]} for record in test]
    for name, part in {"train": train, "test": shown}.items():
        path = public / f"{name}.json"
        path.write_text(json.dumps(part, indent=4), encoding="utf-8")
        write_zip(public / f"{name}.zip", [(path.name, path)])
    answers = pd.DataFrame({ID: [r[ID] for r in test], TARGET: [int(r[TARGET]) for r in test]})
    write_csv(answers, private / "test.csv")
    write_csv(answers.assign(**{TARGET: 0}), public / "sampleSubmission.csv")


def _records(path: Path) -> list[dict[str, Any]]:
    records = json.loads(read_raw(path))
    if not records or any(record.keys() != records[0].keys() for record in records):
        raise DataError(f"{path} should hold a list of records with the same fields; fetch the raw data again.")
    return records
