"""Machine states that follow the product of two measured values and how often a letter occurs in a code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CONTINUOUS = [*range(7), *range(19, 27)]
COUNTS = range(7, 19)
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRST", dtype=np.uint8)


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(180, int(1800 * scale)), max(20, int(1400 * scale))
    frame = _rows(rng, n + tests)
    frame.head(n).to_csv(raw / "train.csv", index=False)
    frame.tail(tests).drop(columns="target").to_csv(raw / "test.csv", index=False)
    frame.tail(tests)[["id"]].assign(target=0.5).to_csv(raw / "sample_submission.csv", index=False)


def _rows(rng: np.random.Generator, n: int) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {f"f_{i:02d}": rng.normal(size=n) for i in CONTINUOUS}
    columns |= {f"f_{i:02d}": rng.poisson(2.0, n) for i in COUNTS}
    # Early letters are more frequent, as they are in the contest's data.
    code = LETTERS[np.minimum(rng.geometric(0.35, (n, 10)) - 1, len(LETTERS) - 1)]
    columns["f_27"] = code.view("S10").ravel().astype("U10")
    columns["f_28"] = rng.normal(0.0, 240.0, n)
    columns["f_29"] = (rng.random(n) < 0.35).astype(int)
    columns["f_30"] = rng.integers(0, 3, n)
    letters = (code == ord("B")).sum(axis=1)
    score = 2.0 * columns["f_02"] * columns["f_21"] + 0.7 * (letters - letters.mean()) + rng.normal(0, 0.5, n)
    features = {name: columns[name] for name in sorted(columns)}
    return pd.DataFrame({"id": np.arange(n), **features, "target": (score > np.median(score)).astype(int)})
