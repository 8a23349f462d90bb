"""Crops of brown ground; those with a cactus show a green column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.images import colour_noise, encode, with_ellipse
from mlebench.synthetic.text import hex_ids

SIDE = 32


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(40, int(200 * scale)), max(5, int(40 * scale))
    ids = [f"{name}.jpg" for name in hex_ids(rng, n + tests, 32)]
    has_cactus = rng.permutation(np.arange(n + tests) % 2)
    images = [_crop(rng, bool(label)) for label in has_cactus]
    pd.DataFrame({"id": ids, "has_cactus": has_cactus}).head(n).to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"id": ids[n:], "has_cactus": 0.5}).to_csv(raw / "sample_submission.csv", index=False)
    write_zip(raw / "train.zip", [(f"train/{name}", image) for name, image in zip(ids[:n], images[:n], strict=True)])
    write_zip(raw / "test.zip", [(f"test/{name}", image) for name, image in zip(ids[n:], images[n:], strict=True)])


def _crop(rng: np.random.Generator, cactus: bool) -> bytes:
    pixels = colour_noise(rng, SIDE, SIDE, (150, 120, 90))
    if cactus:
        x, y = rng.uniform(4, SIDE - 12, 2)
        pixels = with_ellipse(pixels, (x, y, x + rng.uniform(4, 8), y + rng.uniform(6, 12)), (70, 140, 60))
    return encode(pixels, "JPEG", quality=90)
