"""Seedlings on gravel; each species has its own green."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colours, save_all, spotted
from mlebench.synthetic.text import hex_ids

SPECIES = [
    "Black-grass", "Charlock", "Cleavers", "Common Chickweed", "Common wheat", "Fat Hen", "Loose Silky-bent", "Maize",
    "Scentless Mayweed", "Shepherds Purse", "Small-flowered Cranesbill", "Sugar beet",
]  # fmt: skip


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    each, tests = max(25, int(35 * scale)), max(5, int(20 * scale))
    names = [f"{name}.png" for name in hex_ids(rng, each * len(SPECIES) + tests, 9)]
    left = iter(names)
    for species, leaf in zip(SPECIES, colours(len(SPECIES)), strict=True):
        save_all(raw / "train" / species, ((next(left), _seedling(rng, leaf)) for _ in range(each)))
    rest = names[each * len(SPECIES) :]
    save_all(raw / "test", ((name, _seedling(rng, (90, 160, 60))) for name in rest))
    sample = pd.DataFrame({"file": rest, "species": "Sugar beet"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _seedling(rng: np.random.Generator, leaf: tuple[int, int, int]) -> np.ndarray:
    return spotted(rng, int(rng.integers(24, 40)), (130, 120, 110), [leaf], each=4)
