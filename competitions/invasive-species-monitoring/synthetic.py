"""Green undergrowth, with the blue flower heads of hydrangeas in every other picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.data.sevenzip import write_7z
from mlebench.synthetic.images import encode, spotted


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(60, int(240 * scale)), max(5, int(30 * scale))
    invasive = rng.permutation(np.arange(n) % 2)
    write_7z(raw / "train.7z", ((f"train/{i}.jpg", _place(rng, bool(yes))) for i, yes in enumerate(invasive, start=1)))
    write_7z(raw / "test.7z", ((f"test/{i}.jpg", _place(rng, True)) for i in range(1, tests + 1)))
    tables = {
        "train_labels.csv": pd.DataFrame({"name": range(1, n + 1), "invasive": invasive}),
        "sample_submission.csv": pd.DataFrame({"name": range(1, tests + 1), "invasive": 0.5}),
    }
    for name, table in tables.items():
        write_zip(raw / f"{name}.zip", [(name, table.to_csv(index=False).encode())])


def _place(rng: np.random.Generator, hydrangea: bool) -> bytes:
    flowers = [(110, 130, 220)] if hydrangea else []
    return encode(spotted(rng, 48, (70, 120, 60), [(60, 80, 40), *flowers]), "JPEG", quality=85)
