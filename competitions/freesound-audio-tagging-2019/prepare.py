"""Kaggle's files as they are; the labels of the test clips come from the organisers' metadata, published later."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from mlebench.data.archives import read_members
from mlebench.data.files import link, link_tree
from mlebench.data.raw_files import is_raw_file
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

META = "FSDKaggle2019.meta"
TABLE = "test_post_competition.csv"
SAMPLE = "sample_submission.csv"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    clips = _metadata(raw)
    clips = clips[clips["usage"] == "Private"]
    classes = read_csv(raw / SAMPLE, nrows=0).columns[1:]
    labels = clips["labels"].str.get_dummies(",").reindex(columns=classes, fill_value=0)
    answers = pd.concat([clips["fname"], labels], axis=1)
    if sorted(answers["fname"]) != sorted(read_csv(raw / SAMPLE, usecols=["fname"])["fname"]):
        raise DataError(f"{TABLE} and {SAMPLE} do not name the same clips; fetch both again.")
    write_csv(answers, private / "test.csv")
    for name in ("train_curated.csv", "train_noisy.csv", SAMPLE):
        link(raw / name, public / name)
    for name in ("train_curated", "train_noisy", "test"):
        link_tree(raw / name, public / name)


def _metadata(raw: Path) -> pd.DataFrame:
    """The table of test clips: alone, in its folder, or in its archive."""
    for path in (raw / TABLE, raw / META / TABLE):
        if is_raw_file(path):
            return read_csv(path)
    if is_raw_file(archive := raw / f"{META}.zip"):
        ((_, content),) = read_members(archive, [f"{META}/{TABLE}"])
        return read_csv(io.BytesIO(content))
    raise DataError(
        f"The labels of the test clips are missing: get {META}.zip from Zenodo, record 3612637 (FSDKaggle2019), and "
        f"put it into {raw}."
    )
