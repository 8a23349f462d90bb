"""Molecules whose atoms stand on a spiral; a coupling depends on its type and on the distance of its two atoms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ELEMENTS = np.array(list("CCNHHHHHH"))
PAIRS = {
    "1JHC": (3, 0, 85.0),
    "1JHN": (4, 2, 48.0),
    "2JHC": (4, 1, -1.0),
    "2JHH": (5, 6, -10.0),
    "2JHN": (5, 2, 3.0),
    "3JHC": (6, 1, 4.0),
    "3JHH": (3, 7, 5.0),
    "3JHN": (8, 2, 1.0),
}
"""Coupling type -> atoms of the pair and usual value."""
TENSOR = ["XX", "YX", "ZX", "XY", "YY", "ZY", "XZ", "YZ", "ZZ"]
SHARES = {"fc": 0.9, "sd": 0.02, "pso": 0.05, "dso": 0.03}
UNLABELLED = 5


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(20, int(60 * scale))
    numbers = np.sort(rng.choice(133_885, n + UNLABELLED, replace=False)) + 1
    names = np.array([f"dsgdb9nsd_{number:06d}" for number in numbers])
    labelled = np.sort(rng.permutation(len(names))[:n])
    others = np.setdiff1d(np.arange(len(names)), labelled)

    turn = np.arange(len(ELEMENTS)) * 2.4
    spiral = np.stack([np.cos(turn) * turn**0.5, np.sin(turn) * turn**0.5, turn / 8], axis=1)
    places = (spiral + rng.normal(0, 0.25, (len(names), *spiral.shape))).round(10)
    atoms = pd.DataFrame(
        {
            "molecule_name": names.repeat(len(ELEMENTS)),
            "atom_index": np.tile(np.arange(len(ELEMENTS)), len(names)),
            "atom": np.tile(ELEMENTS, len(names)),
            **dict(zip("xyz", places.reshape(-1, 3).T, strict=True)),
        }
    )
    atoms.to_csv(raw / "structures.csv", index=False)
    (raw / "structures").mkdir()
    for name, molecule in zip(names, places.tolist(), strict=True):
        lines = [f"{atom} {x} {y} {z}" for atom, (x, y, z) in zip(ELEMENTS, molecule, strict=True)]
        (raw / "structures" / f"{name}.xyz").write_text("\n".join([str(len(lines)), "", *lines, ""]))

    pairs = _pairs(rng, names, places, labelled)
    pairs.insert(0, "id", np.arange(len(pairs)))
    pairs.to_csv(raw / "train.csv", index=False)
    parts = {part: (pairs["scalar_coupling_constant"] * share).round(6) for part, share in SHARES.items()}
    pairs[["molecule_name", "atom_index_0", "atom_index_1", "type"]].assign(**parts).to_csv(
        raw / "scalar_coupling_contributions.csv", index=False
    )
    test = _pairs(rng, names, places, others)
    test.insert(0, "id", np.arange(len(pairs), len(pairs) + len(test)))
    test.drop(columns="scalar_coupling_constant").to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(scalar_coupling_constant=0).to_csv(raw / "sample_submission.csv", index=False)

    train = pd.DataFrame({"molecule_name": names[labelled]})
    train.assign(**{axis: rng.normal(0, 1, n).round(4) for axis in "XYZ"}).to_csv(
        raw / "dipole_moments.csv", index=False
    )
    train.assign(potential_energy=rng.normal(-400, 40, n).round(5)).to_csv(raw / "potential_energy.csv", index=False)
    own = atoms[atoms["molecule_name"].isin(train["molecule_name"])][["molecule_name", "atom_index"]]
    own.assign(mulliken_charge=rng.normal(0, 0.3, len(own)).round(6)).to_csv(raw / "mulliken_charges.csv", index=False)
    own.assign(**{name: rng.normal(50, 30, len(own)).round(4) for name in TENSOR}).to_csv(
        raw / "magnetic_shielding_tensors.csv", index=False
    )


def _pairs(rng: np.random.Generator, names: np.ndarray, places: np.ndarray, molecules: np.ndarray) -> pd.DataFrame:
    """Pairs of these molecules, one of each type."""
    first, second, usual = (np.array(column) for column in zip(*PAIRS.values(), strict=True))
    distance = np.linalg.norm(places[molecules][:, first] - places[molecules][:, second], axis=2)
    value = usual + 12 * np.exp(-distance) + rng.normal(0, 0.1, distance.shape)
    return pd.DataFrame(
        {
            "molecule_name": names[molecules].repeat(len(PAIRS)),
            "atom_index_0": np.tile(first, len(molecules)),
            "atom_index_1": np.tile(second, len(molecules)),
            "type": np.tile(list(PAIRS), len(molecules)),
            "scalar_coupling_constant": value.ravel().round(6),
        }
    )
