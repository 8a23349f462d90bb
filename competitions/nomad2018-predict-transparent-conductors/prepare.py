"""Materials of train.csv, 10 % to the test set (seed 0); rows and geometry folders get new ids in drawn order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.data.archives import open_member, read_members
from mlebench.data.splits import split_frame
from mlebench.data.tables import read_csv, write_csv

TEMPLATE = {"formation_energy_ev_natom": 0.1779, "bandgap_energy_ev": 1.8892}


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    with open_member(raw / "train.csv.zip", "train.csv") as file:
        parts = dict(zip(("train", "test"), split_frame(read_csv(file), 0.1), strict=True))
    for part, rows in parts.items():
        targets = {
            f"train/{old}/geometry.xyz": public / part / str(new) / "geometry.xyz"
            for new, old in enumerate(rows["id"], start=1)
        }
        for member, content in read_members(raw / "train.zip", targets, last_time=True):
            targets[member].parent.mkdir(parents=True)
            targets[member].write_bytes(content)
        parts[part] = rows.assign(id=np.arange(1, len(rows) + 1))
    write_csv(parts["train"], public / "train.csv")
    write_csv(parts["test"], private / "test.csv")
    write_csv(parts["test"].drop(columns=list(TEMPLATE)), public / "test.csv")
    write_csv(parts["test"][["id"]].assign(**TEMPLATE), public / "sample_submission.csv")
