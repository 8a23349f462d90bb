"""Frames of train_11.npy, in the contest's proportion of train to test (seed 0), in drawn order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.arrays import array_shape, divide_rows, read_array
from mlebench.data.splits import train_test_positions
from mlebench.data.tables import write_csv

FOLDER = Path("timit_11") / "timit_11"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    labels = read_array(raw / FOLDER / "train_label_11.npy")
    frames, *_ = array_shape(raw / FOLDER / "train_11.npy")
    kaggle_test, *_ = array_shape(raw / FOLDER / "test_11.npy")
    train, test = train_test_positions(frames, kaggle_test / (frames + kaggle_test))
    shown = public / FOLDER
    divide_rows(raw / FOLDER / "train_11.npy", {shown / "train_11.npy": train, shown / "test_11.npy": test})
    np.save(shown / "train_label_11.npy", labels[train])
    answers = pd.DataFrame({"Id": range(len(test)), "ClassId": labels[test]})
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(ClassId=0), public / "sampleSubmission.csv")
