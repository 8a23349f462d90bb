"""Apple leaves: rust shows as orange spots, scab as dark ones, several diseases as both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import save_all, spotted

RUST, SCAB = (230, 140, 40), (50, 50, 30)
SPOTS = {"healthy": [], "multiple_diseases": [RUST, SCAB], "rust": [RUST], "scab": [SCAB]}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(300, int(400 * scale)), max(5, int(20 * scale))
    kind = rng.permutation(np.arange(n) % len(SPOTS))
    spots = list(SPOTS.values())
    save_all(raw / "images", ((f"Train_{i}.jpg", _leaf(rng, spots[k])) for i, k in enumerate(kind)))
    save_all(raw / "images", ((f"Test_{i}.jpg", _leaf(rng, [])) for i in range(tests)))
    train = pd.DataFrame({"image_id": [f"Train_{i}" for i in range(n)]})
    train.assign(**{name: (kind == k).astype(int) for k, name in enumerate(SPOTS)}).to_csv(
        raw / "train.csv", index=False
    )
    test = pd.DataFrame({"image_id": [f"Test_{i}" for i in range(tests)]})
    test.to_csv(raw / "test.csv", index=False)
    test.assign(**dict.fromkeys(SPOTS, 0.25)).to_csv(raw / "sample_submission.csv", index=False)


def _leaf(rng: np.random.Generator, spots: list[tuple[int, int, int]]) -> np.ndarray:
    return spotted(rng, 48, (80, 140, 60), spots, each=5)
