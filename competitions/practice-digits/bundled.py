"""Raw data of practice-digits: scikit-learn's 1,797 digits as PNG files and a table of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits

from mlebench.data.tables import write_csv

GREY_STEP = 15
"""Grey value of one unit of ink: 0..16 becomes 0..240, so the picture holds exactly the numbers of the data set."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """Write raw/digits.csv (row, label) and raw/images/<row>.png. The data is what it is: `rng`, `scale` are unused."""
    digits = load_digits()
    folder = raw / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for row, ink in enumerate(digits.images):
        Image.fromarray((ink * GREY_STEP).astype(np.uint8)).save(folder / f"{row}.png")
    write_csv(pd.DataFrame({"row": range(len(digits.target)), "label": digits.target}), raw / "digits.csv")
