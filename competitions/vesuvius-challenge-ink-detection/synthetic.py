"""Three fragments of noisy papyrus; under the ink the middle slices are a little brighter."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.rle import encode_mask
from mlebench.synthetic.images import encode, noise, with_ellipse

SLICES = 65
INKED = range(27, 38)
"""Slices in which ink shows."""
SIZES = {"1": (48, 66), "2": (60, 82), "3": (44, 58)}
"""Height and width of each fragment at scale 1."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the pixels of a fragment, never the number of fragments or slices."""
    zoom = max(1.0, scale) ** 0.5
    for name, (height, width) in SIZES.items():
        _fragment(rng, raw / "train" / name, round(height * zoom), round(width * zoom))
    for name in ("a", "b"):
        shutil.copytree(raw / "train" / "1" / "surface_volume", raw / "test" / name / "surface_volume")
        shutil.copyfile(raw / "train" / "1" / "mask.png", raw / "test" / name / "mask.png")
    pd.DataFrame({"Id": ["a", "b"], "Predicted": "1 1 5 1"}).to_csv(raw / "sample_submission.csv", index=False)


def _fragment(rng: np.random.Generator, folder: Path, height: int, width: int) -> None:
    (folder / "surface_volume").mkdir(parents=True)
    blank = np.zeros((height, width), np.uint8)
    valid = with_ellipse(blank, (0, 0, width - 1, height - 1), 1)
    ink = _letters(rng, blank) & valid
    for number in range(SLICES):
        density = rng.normal(24_000, 3_000, (height, width)) + 9_000.0 * ink * (number in INKED)
        pixels = (np.clip(density, 0, 65_535) * valid).astype(np.uint16)
        (folder / "surface_volume" / f"{number:02d}.tif").write_bytes(encode(pixels, "TIFF"))
    (folder / "mask.png").write_bytes(encode(valid * np.uint8(255), "PNG"))
    (folder / "inklabels.png").write_bytes(encode(ink * np.uint8(255), "PNG"))
    photo = np.where(ink > 0, noise(rng, height, width, mean=60), noise(rng, height, width, mean=130)) * valid
    (folder / "ir.png").write_bytes(encode(photo, "PNG"))
    table = pd.DataFrame({"Id": [folder.name], "Predicted": [encode_mask(ink, order="C")]})
    table.to_csv(folder / "inklabels_rle.csv", index=False)


def _letters(rng: np.random.Generator, blank: np.ndarray) -> np.ndarray:
    """0/1: strokes, thick and thin, over the middle of the fragment."""
    height, width = blank.shape
    ink = blank
    for _ in range(6):
        x, y = rng.uniform(0.15, 0.7) * width, rng.uniform(0.15, 0.7) * height
        box = (x, y, x + rng.uniform(0.03, 0.2) * width, y + rng.uniform(0.05, 0.25) * height)
        ink = with_ellipse(ink, box, 1)
    return ink
