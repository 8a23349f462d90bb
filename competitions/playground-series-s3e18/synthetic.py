"""Molecules whose two labels follow their complexity and their connectivity; the descriptors hang together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DESCRIPTORS = [
    "BertzCT", "Chi1", "Chi1n", "Chi1v", "Chi2n", "Chi2v", "Chi3v", "Chi4n", "EState_VSA1", "EState_VSA2",
    "ExactMolWt", "FpDensityMorgan1", "FpDensityMorgan2", "FpDensityMorgan3", "HallKierAlpha", "HeavyAtomMolWt",
    "Kappa3", "MaxAbsEStateIndex", "MinEStateIndex", "NumHeteroatoms", "PEOE_VSA10", "PEOE_VSA14", "PEOE_VSA6",
    "PEOE_VSA7", "PEOE_VSA8", "SMR_VSA10", "SMR_VSA5", "SlogP_VSA3", "VSA_EState9", "fr_COO", "fr_COO2",
]  # fmt: skip
COUNTS = {"NumHeteroatoms": 8, "fr_COO": 1, "fr_COO2": 1}
"""Descriptors that are small whole numbers -> their mean."""
SHARES = {"EC1": 0.67, "EC2": 0.8, "EC3": 0.31, "EC4": 0.28, "EC5": 0.14, "EC6": 0.16}
"""Share of rows that have each label."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(200, int(600 * scale))
    size, rings, noise = rng.gamma(4.0, 0.25, n), rng.normal(size=n), rng.normal(size=(n, len(DESCRIPTORS)))
    columns: dict[str, np.ndarray] = {}
    for i, name in enumerate(DESCRIPTORS):
        if name in COUNTS:
            columns[name] = rng.poisson(COUNTS[name] * size)
        else:
            columns[name] = np.round((5.0 + i) * size + (rings if name.startswith("Chi") else 0.0) + noise[:, i], 6)
    signal = {"EC1": size, "EC2": rings}
    labels = {}
    for name, share in SHARES.items():
        score = signal.get(name, 0.0) + rng.normal(0, 0.3, n)
        labels[name] = (score > np.quantile(score, 1 - share)).astype(int)
    frame = pd.DataFrame({"id": np.arange(n), **columns, **labels})
    frame.to_csv(raw / "train.csv", index=False)
    test = frame.drop(columns=list(labels)).head(10).assign(id=np.arange(n, n + 10))
    test.to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(EC1=0.5, EC2=0.5).to_csv(raw / "sample_submission.csv", index=False)
