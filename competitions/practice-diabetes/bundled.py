"""Raw data of practice-diabetes: scikit-learn's copy of the diabetes table, in its original units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes

from mlebench.data.tables import write_csv


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """Write raw/patients.csv: ten measurements and `progression`. The data is what it is: `rng`, `scale` are unused."""
    patients = load_diabetes(as_frame=True, scaled=False).frame
    write_csv(patients.rename(columns={"target": "progression"}), raw / "patients.csv")
