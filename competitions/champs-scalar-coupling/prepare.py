"""Molecules of train.csv, 10 % to the test set (seed 0); whole molecules in drawn order.

Everything that describes a molecule beyond its pairs of atoms is kept for training molecules only, geometry included.
"""

from __future__ import annotations

from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.splits import split_groups
from mlebench.data.tables import read_csv, write_csv

TARGET = "scalar_coupling_constant"
ABOUT_MOLECULES = (
    "structures",
    "dipole_moments",
    "magnetic_shielding_tensors",
    "mulliken_charges",
    "potential_energy",
    "scalar_coupling_contributions",
)


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    train, test = split_groups(read_csv(raw / "train.csv"), "molecule_name", 0.1)
    write_csv(train, public / "train.csv")
    write_csv(test, private / "answers.csv")
    write_csv(test.drop(columns=TARGET), public / "test.csv")
    write_csv(test[["id"]].assign(**{TARGET: 0}), public / "sample_submission.csv")
    molecules = train["molecule_name"].unique()
    for name in ABOUT_MOLECULES:
        table = read_csv(raw / f"{name}.csv")
        write_csv(table[table["molecule_name"].isin(molecules)], public / f"{name}.csv")
    files = (f"structures/{name}.xyz" for name in molecules)
    link_all((raw / file, public / file) for file in files)
