"""Raw data of practice-breast-cancer: scikit-learn's copy of the Wisconsin diagnostic table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from mlebench.data.tables import write_csv

MALIGNANT = 0
"""scikit-learn's code of a malignant tumour (1 is benign)."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """Write raw/tumours.csv: 30 measurements and `malignant`. The data is what it is: `rng`, `scale` are unused."""
    source = load_breast_cancer(as_frame=True)
    tumours = source.data.rename(columns=lambda name: name.replace(" ", "_"))
    write_csv(tumours.assign(malignant=(source.target == MALIGNANT).astype(int)), raw / "tumours.csv")
