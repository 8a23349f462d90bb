"""Molecules of train.json that pass the quality filter; as many as 10 % of all become the test set (seed 0).

Both sides keep the order of the file. Unscored positions stand in the answers as zeros.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.raw_files import open_raw
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

SHARE = 0.1
TARGETS = ["reactivity", "deg_Mg_pH10", "deg_pH10", "deg_Mg_50C", "deg_50C"]
DIGITS = "%.10f"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    molecules = _molecules(raw / "train.json")
    shown = _molecules(raw / "test.json").columns.tolist()
    good = molecules[molecules["SN_filter"] > 0]
    drawn = good.sample(n=int(SHARE * len(molecules)), random_state=0)
    is_test = molecules.index.isin(drawn.index)
    train, test = _numbered(molecules[~is_test]), _numbered(molecules[is_test])
    _write_json(train, public / "train.json")
    _write_json(test[shown], public / "test.json")
    answers = _positions(test)
    write_csv(answers, private / "test.csv", float_format=DIGITS)
    sample = answers[["id_seqpos", *TARGETS]].assign(**dict.fromkeys(TARGETS, 0.0))
    if set(read_csv(raw / "sample_submission.csv", nrows=0).columns) != set(sample.columns):
        raise DataError(f"sample_submission.csv should have the columns {', '.join(sample.columns)}; fetch it again.")
    write_csv(sample, public / "sample_submission.csv", float_format=DIGITS)


def _molecules(path: Path) -> pd.DataFrame:
    with open_raw(path) as file:
        return pd.read_json(file, lines=True)


def _numbered(part: pd.DataFrame) -> pd.DataFrame:
    return part.assign(index=np.arange(len(part)))


def _write_json(table: pd.DataFrame, path: Path) -> None:
    table.to_json(path, orient="records", lines=True)


def _positions(molecules: pd.DataFrame) -> pd.DataFrame:
    """A row for each position of each molecule; `keep` says which are scored."""
    length, scored = molecules["seq_length"].to_numpy(), molecules["seq_scored"].to_numpy()
    position = np.concatenate([np.arange(n) for n in length])
    keep = position < scored.repeat(length)
    table = pd.DataFrame({"id_seqpos": molecules["id"].repeat(length).to_numpy() + "_" + position.astype(str)})
    for name in TARGETS:
        measured = np.concatenate(molecules[name].tolist())
        if len(measured) != keep.sum():
            raise DataError(f"train.json holds molecules whose {name} has not seq_scored values; fetch it again.")
        values = np.zeros(len(table))
        values[keep] = measured
        table[name] = values
    return table.assign(keep=keep)
