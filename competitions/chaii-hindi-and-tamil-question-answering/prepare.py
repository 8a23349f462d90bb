"""Rows of train.csv, 10 % to the test set (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_frame(read_csv(raw / "train.csv"), 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test.drop(columns=["answer_start", "answer_text"]), public / "test.csv")
    answers = test[["id", "answer_text"]].rename(columns={"answer_text": "PredictionString"})
    write_csv(answers, private / "test.csv")
    write_csv(answers.assign(PredictionString="dummy text"), public / "sample_submission.csv")
