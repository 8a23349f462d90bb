"""Frames of train_11.npy, in the contest's proportion of train to test (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlebench.data.arrays import open_array, save_rows
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import write_csv

FOLDER = Path("timit_11") / "timit_11"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    frames = open_array(raw / FOLDER / "train_11.npy")
    labels = open_array(raw / FOLDER / "train_label_11.npy")
    kaggle_test = len(open_array(raw / FOLDER / "test_11.npy"))
    train, test = train_test_positions(len(frames), kaggle_test / (len(frames) + kaggle_test))
    save_rows(frames, train, public / FOLDER / "train_11.npy")
    save_rows(labels, train, public / FOLDER / "train_label_11.npy")
    save_rows(frames, test, public / FOLDER / "test_11.npy")
    answers = pd.DataFrame({"Id": range(len(test)), "ClassId": labels[test]})
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(ClassId=0), public / "sampleSubmission.csv")
