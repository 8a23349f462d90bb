"""Apple leaves with spots in the colour of each disease; `complex` shows all colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import save_all, spotted
from mlebench.synthetic.text import hex_ids

SPOTS = {
    "scab": (50, 50, 30),
    "rust": (230, 140, 40),
    "frog_eye_leaf_spot": (130, 60, 130),
    "powdery_mildew": (235, 235, 235),
}
KINDS = ["healthy", "scab", "rust", "frog_eye_leaf_spot", "powdery_mildew", "complex", "scab frog_eye_leaf_spot",
         "rust complex", "healthy"]  # fmt: skip


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(100, int(400 * scale))
    names = [f"{'89abcdef'[i % 8]}{tail}.jpg" for i, tail in enumerate(hex_ids(rng, n + 3, 15))]
    labels = np.array(KINDS)[rng.permutation(np.arange(n) % len(KINDS))]
    leaves = ((name, _leaf(rng, text.split())) for name, text in zip(names, labels, strict=False))
    save_all(raw / "train_images", leaves)
    save_all(raw / "test_images", ((name, _leaf(rng, [])) for name in names[n:]))
    pd.DataFrame({"image": names[:n], "labels": labels}).to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"image": names[n:], "labels": "healthy"}).to_csv(raw / "sample_submission.csv", index=False)


def _leaf(rng: np.random.Generator, labels: list[str]) -> np.ndarray:
    shown = [colour for name, colour in SPOTS.items() if name in labels or "complex" in labels]
    return spotted(rng, 48, (80, 140, 60), shown, each=5)
