"""Both text normalization challenges: tokens with their spoken form, split by sentence and renumbered."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from mlebench.data.archives import open_member, write_zip
from mlebench.data.splits import split_items
from mlebench.data.tables import read_csv, write_csv


def prepare_text_normalization(raw: Path, public: Path, private: Path, *, language: str) -> None:
    """Split `<language>_train.csv.zip` by sentence, 10 % of the sentences (seed 0) to the test set.

    Rows keep their order; sentences are renumbered from 0 on both sides. Agents get three zips of one table each,
    stored without compression, as published. About 10 million rows stay below 3 GB, as equal tokens are one string.
    """
    with open_member(raw / f"{language}_train.csv.zip") as file:
        tokens = read_csv(file, dtype={"class": str, "before": str, "after": str})
    sentences, first = np.unique(tokens["sentence_id"].to_numpy(), return_index=True)
    _, drawn = split_items(sentences[np.argsort(first)].tolist(), 0.1)
    in_test = tokens["sentence_id"].isin(drawn)

    _write_zipped(public, f"{language}_train.csv", _renumbered(tokens[~in_test]))
    test = _renumbered(tokens[in_test])
    del tokens
    _write_zipped(public, f"{language}_test_2.csv", test[["sentence_id", "token_id", "before"]])
    ids = test["sentence_id"].astype(str) + "_" + test["token_id"].astype(str)
    _write(private / "answers.csv", pd.DataFrame({"id": ids, "after": test["after"]}))
    sample = pd.DataFrame({"id": ids, "after": test["before"]})
    _write(private / "sample_submission.csv", sample)
    _write_zipped(public, f"{language}_sample_submission_2.csv", sample)


def _renumbered(tokens: pd.DataFrame) -> pd.DataFrame:
    """Sentences numbered from 0 in order of first appearance."""
    return tokens.assign(sentence_id=pd.factorize(tokens["sentence_id"])[0])


def _write(path: Path | IO[bytes], table: pd.DataFrame) -> None:
    write_csv(table, path, quoting=csv.QUOTE_NONNUMERIC)


def _write_zipped(folder: Path, name: str, table: pd.DataFrame) -> None:
    write_zip(folder / f"{name}.zip", [(name, lambda out: _write(out, table))], compression=zipfile.ZIP_STORED)
