"""Spectrograms, 10 % to the test set (seed 0), with all their rows and recordings; tables keep their order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all, link_tree
from mlebench.data.splits import mark_test_groups
from mlebench.data.tables import read_csv, write_csv

VOTES = ["seizure_vote", "lpd_vote", "gpd_vote", "lrda_vote", "grda_vote", "other_vote"]


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    labels = read_csv(raw / "train.csv")
    is_test = mark_test_groups(labels["spectrogram_id"], 0.1)
    train, test = labels[~is_test], labels[is_test]
    write_csv(train, public / "train.csv")
    write_csv(test, private / "test.csv")
    write_csv(test[["spectrogram_id", "eeg_id", "patient_id"]], public / "test.csv")
    gold = test[["eeg_id"]].join(test[VOTES].div(test[VOTES].sum(axis=1), axis=0))
    write_csv(gold, private / "gold_submission.csv")
    write_csv(gold.assign(**dict.fromkeys(VOTES, 1 / 6)), public / "sample_submission.csv")

    link_tree(raw / "example_figures", public / "example_figures")
    for part, rows in {"train": train, "test": test}.items():
        for kind in ("eeg", "spectrogram"):
            files = (f"{recording}.parquet" for recording in rows[f"{kind}_id"].unique())
            link_all((raw / f"train_{kind}s" / file, public / f"{part}_{kind}s" / file) for file in files)
