"""Pages with columns of simple signs, each code point a pattern of its own; the tail of rare signs is long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.images import encode, noise

FIRST_CODE = 0x3042
SIGNS = 30
SIGN = 3
"""Cells on a side of a sign's pattern."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the pages; at 20 and more they also grow."""
    pages = max(30, int(60 * scale))
    zoom = 1 if scale < 20 else 3
    codes = [f"U+{FIRST_CODE + i:04X}" for i in range(SIGNS)]
    patterns = rng.permutation(np.arange(1, 2 ** (SIGN * SIGN)))[:SIGNS]
    patterns = (patterns[:, None] >> np.arange(SIGN * SIGN) & 1).astype(bool).reshape(SIGNS, SIGN, SIGN)
    frequency = 1 / np.arange(1, SIGNS + 1)
    names, labels, images = [], [], []
    for page in range(pages):
        names.append(f"{100_241_706 + page // 20}_{page % 20 // 2:05d}_{1 + page % 2}")
        count = 0 if page % 15 == 7 else int(rng.integers(5, 16))
        signs = rng.choice(SIGNS, count, p=frequency / frequency.sum())
        image, boxes = _page(rng, signs, patterns, zoom)
        images.append((f"{names[-1]}.jpg", encode(image, "JPEG", quality=90)))
        labels.append(
            " ".join(f"{codes[sign]} {' '.join(map(str, box))}" for sign, box in zip(signs, boxes, strict=True))
        )
    pd.DataFrame({"image_id": names, "labels": labels}).to_csv(raw / "train.csv", index=False)
    characters = [chr(int(code[2:], 16)) for code in codes]
    pd.DataFrame({"Unicode": codes, "char": characters}).to_csv(raw / "unicode_translation.csv", index=False)
    write_zip(raw / "train_images.zip", images)
    write_zip(raw / "test_images.zip", [(f"test_{i:08x}.jpg", image) for i, (_, image) in enumerate(images[:3])])
    sample = pd.DataFrame({"image_id": [f"test_{i:08x}" for i in range(3)], "labels": "U+003F 1 1 U+FF2F 2 2"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _page(
    rng: np.random.Generator, signs: np.ndarray, patterns: np.ndarray, zoom: int
) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """The page and the box (x, y, width, height) of each sign; columns go from right to left."""
    stroke, pitch, rows = 4 * zoom, 18 * zoom, 6
    height, width = rows * pitch + 4 * zoom, 4 * pitch
    image, boxes = noise(rng, height, width, mean=215, spread=8), []
    for place, sign in enumerate(signs):
        x = width - (1 + place // rows) * pitch + int(rng.integers(0, 3))
        y = place % rows * pitch + int(rng.integers(0, 3))
        ink = np.kron(patterns[sign], np.ones((stroke, stroke), bool))
        image[y : y + ink.shape[0], x : x + ink.shape[1]][ink] = 40
        boxes.append((x, y, ink.shape[1], ink.shape[0]))
    return image, boxes
