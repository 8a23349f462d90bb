"""The recordings of training4.tar.gz are the test set; everything else is published as it is."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

import pandas as pd

from mlebench.data.archives import tar_names
from mlebench.data.files import link
from mlebench.data.tables import read_csv, write_csv
from mlebench.errors import DataError

TEST = "training4.tar.gz"
UNCHANGED = (
    "training1.tar.gz",
    "training2.tar.gz",
    "training3.tar.gz",
    "validation1.tar.gz",
    "validation2.tar.gz",
    "validation3.tar.gz",
    "devel01-40.7z",
    "valid_all_files_combined.7z",
    "sample_code_mmrgc.zip",
)
GESTURES = range(1, 21)


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    recordings = [path for name in tar_names(raw / TEST) if (path := PurePosixPath(name)).suffix == ".zip"]
    ids = sorted(path.stem[-4:] for path in recordings)
    labels = read_csv(raw / "training.csv", dtype=str)
    is_test = labels["Id"].isin(ids)
    if sorted(labels["Id"][is_test]) != ids:
        raise DataError(f"training.csv does not list every recording of {TEST} once; fetch both again.")
    write_csv(labels[~is_test], public / "training.csv")
    write_csv(labels[is_test], private / "test.csv")
    write_csv(pd.DataFrame({"Id": ids}), public / "test.csv")
    draw = random.Random(0)
    sequences = [" ".join(map(str, draw.sample(GESTURES, len(GESTURES)))) for _ in ids]
    write_csv(pd.DataFrame({"Id": ids, "Sequence": sequences}), public / "randomPredictions.csv")
    link(raw / TEST, public / "test.tar.gz")
    for name in UNCHANGED:
        link(raw / name, public / name)
