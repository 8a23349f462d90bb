"""Oxides whose band gap falls with their share of indium and whose formation energy falls with that of aluminium."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip

TARGETS = ["formation_energy_ev_natom", "bandgap_energy_ev"]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(30, int(120 * scale))
    train, tests = _materials(rng, n), _materials(rng, max(6, n // 4)).drop(columns=TARGETS)
    template = tests[["id"]].assign(formation_energy_ev_natom=0.1779, bandgap_energy_ev=1.8892)
    for name, frame in {"train": train, "test": tests, "sample_submission": template}.items():
        buffer = io.StringIO()
        frame.to_csv(buffer, index=False)
        write_zip(raw / f"{name}.csv.zip", [(f"{name}.csv", buffer.getvalue().encode())])
    for name, frame in {"train": train, "test": tests}.items():
        write_zip(
            raw / f"{name}.zip",
            [(f"{name}/{row.id}/geometry.xyz", _geometry(row, rng)) for row in frame.itertuples()],
        )


def _materials(rng: np.random.Generator, n: int) -> pd.DataFrame:
    shares = np.round(rng.dirichlet([1.0, 1.0, 1.0], n) * 16) / 16
    aluminium, indium = shares[:, 0], np.minimum(shares[:, 2], 1 - shares[:, 0])
    energy = np.abs(0.25 - 0.15 * aluminium + rng.normal(0, 0.02, n))
    gap = np.abs(4.5 - 3.0 * indium + rng.normal(0, 0.2, n))
    return pd.DataFrame(
        {
            "id": np.arange(1, n + 1),
            "spacegroup": rng.choice([12, 33, 167, 194, 206, 227], n),
            "number_of_total_atoms": rng.choice([10.0, 20.0, 30.0], n),
            "percent_atom_al": aluminium,
            "percent_atom_ga": 1 - aluminium - indium,
            "percent_atom_in": indium,
            **{f"lattice_vector_{i}_ang": np.round(rng.uniform(5, 24, n), 4) for i in (1, 2, 3)},
            **{f"lattice_angle_{name}_degree": np.round(rng.normal(90, 3, n), 4) for name in ("alpha", "beta", "gamma")},
            "formation_energy_ev_natom": np.round(energy, 4),
            "bandgap_energy_ev": np.round(gap, 4),
        }
    )  # fmt: skip


def _geometry(row: object, rng: np.random.Generator) -> bytes:
    """A geometry file: the cell's edges as if they were at right angles, and atoms at random places in it."""
    edges = np.array([getattr(row, f"lattice_vector_{i}_ang") for i in (1, 2, 3)])
    atoms = int(row.number_of_total_atoms)  # type: ignore[attr-defined]
    shares = np.array([row.percent_atom_al, row.percent_atom_ga, row.percent_atom_in])  # type: ignore[attr-defined]
    metals = rng.choice(["Al", "Ga", "In"], atoms * 2 // 5, p=shares / shares.sum())
    elements = [*metals, *["O"] * (atoms - len(metals))]
    places = rng.random((atoms, 3)) * edges
    cell = np.char.mod("%.6f", np.diag(edges))
    lines = ["#=======================================================", "#Created by a made-up crystal", "#"]
    lines += ["lattice_vector " + " ".join(vector) for vector in cell]
    cells = np.char.mod("%.6f", places)
    lines += [f"atom {' '.join(place)} {element}" for place, element in zip(cells, elements, strict=True)]
    return ("\n".join(lines) + "\n").encode()
