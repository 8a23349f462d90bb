"""Seismic tiles of layered noise in which salt is a bright body; some tiles have none, a few have nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.formats.rle import encode_mask
from mlebench.synthetic.images import encode, noise, with_ellipse
from mlebench.synthetic.text import hex_ids

SIDE = 101


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(24, int(80 * scale))
    tests = n // 4
    ids = hex_ids(rng, n + tests, 10)
    masks = [_mask(rng, kind) for kind in rng.permutation(np.arange(n) % 8)]
    table = pd.DataFrame({"id": ids[:n], "rle_mask": [encode_mask(mask) for mask in masks]})
    images, drawn = [], []
    for tile, mask in zip(ids[:n], masks, strict=True):
        images.append((f"competition_data/train/images/{tile}.png", _image(rng, mask)))
        drawn.append((f"competition_data/train/masks/{tile}.png", encode(mask * np.uint8(255), "PNG")))
    text = io.StringIO()
    table.to_csv(text, index=False)
    table.to_csv(raw / "train.csv", index=False)
    write_zip(
        raw / "competition_data.zip",
        [("competition_data/train.csv", text.getvalue().encode()), *images, *drawn],
    )
    depths = pd.DataFrame({"id": ids, "z": rng.integers(50, 960, n + tests)})
    depths.sample(frac=1, random_state=0).to_csv(raw / "depths.csv", index=False)
    pd.DataFrame({"id": ids[n:], "rle_mask": "1 1"}).to_csv(raw / "sample_submission.csv", index=False)


def _mask(rng: np.random.Generator, kind: int) -> np.ndarray:
    """0/1 (SIDE, SIDE): empty for kinds 0 to 2, full for 3, else a body that may reach over the border."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if kind < 3:
        return mask
    if kind == 3:
        return mask + np.uint8(1)
    x, y = rng.uniform(-20, 80, 2)
    return with_ellipse(mask, (x, y, x + rng.uniform(25, 90), y + rng.uniform(25, 90)), 1)


def _image(rng: np.random.Generator, mask: np.ndarray) -> bytes:
    layers = 20 * np.sin(np.arange(SIDE)[:, None] / rng.uniform(2, 5))
    grey = noise(rng, SIDE, SIDE, mean=90, spread=12) + layers + 70 * mask
    return encode(np.clip(grey, 0, 255).astype(np.uint8), "PNG")
