"""Pink tissue in coarse grains; tumours are darker, and only at the centre of a patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colour_noise, save_all
from mlebench.synthetic.text import hex_ids

SIDE, GRAIN = 96, 4


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(60, int(200 * scale)), max(15, int(52 * scale))
    ids = hex_ids(rng, n + tests, 40)
    label = rng.permutation(np.arange(n + tests) * 2 // 5 % 2)
    patches = ((f"{name}.tif", _patch(rng, bool(tumour))) for name, tumour in zip(ids, label, strict=True))
    save_all(raw / "train", (next(patches) for _ in range(n)))
    save_all(raw / "test", patches)
    pd.DataFrame({"id": ids[:n], "label": label[:n]}).to_csv(raw / "train_labels.csv", index=False)
    pd.DataFrame({"id": ids[n:], "label": 0}).to_csv(raw / "sample_submission.csv", index=False)


def _patch(rng: np.random.Generator, tumour: bool) -> np.ndarray:
    grains = colour_noise(rng, SIDE // GRAIN, SIDE // GRAIN, (205, 150, 190))
    third = slice(SIDE // GRAIN // 3, 2 * SIDE // GRAIN // 3)
    if tumour:
        grains[third, third] -= np.uint8(45)
    return grains.repeat(GRAIN, axis=0).repeat(GRAIN, axis=1)
