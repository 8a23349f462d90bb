"""The contest's own train set and its private test set, whose labels were published later; raw siblings stay out."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    link(raw / "train.csv", public / "train.csv")
    link(raw / "test_private_expanded.csv", private / "test.csv")
    test = read_csv(raw / "test_private_expanded.csv", usecols=["id", "comment_text"])[["id", "comment_text"]]
    write_csv(test, public / "test.csv")
    write_csv(test[["id"]].assign(prediction=0.0), public / "sample_submission.csv")
