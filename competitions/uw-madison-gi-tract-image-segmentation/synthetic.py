"""Scans of several cases and days; each organ is a rectangle of its own brightness, in the middle slices only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.rle import encode_mask
from mlebench.synthetic.images import encode

ORGANS = {"large_bowel": 9_000, "small_bowel": 14_000, "stomach": 20_000}
"""Brightness of each organ."""
HEIGHT, WIDTH = 20, 16
SLICES = 4
DAYS = (2, 2, 6, 2, 2, 5, 2, 2, 2, 2, 2, 2)
"""Scan days of the first cases; the later ones follow the same pattern."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the cases (85 of some 140 slices per day in the contest)."""
    cases = max(12, int(12 * scale))
    numbers = rng.permutation(np.arange(2, 2 + 2 * cases))[:cases]
    rows = []
    for position, number in enumerate(numbers):
        days = np.sort(rng.choice(np.arange(0, 40), DAYS[position % len(DAYS)], replace=False))
        # Days stand in text order, as a listing of folders gives them.
        for day in sorted(map(str, days)):
            rows += _scan(rng, raw / "train", f"case{number}", f"day{day}")
    table = pd.DataFrame(rows, columns=["id", "class", "segmentation"])
    table.to_csv(raw / "train.csv", index=False)
    pd.DataFrame(columns=["id", "class", "predicted"]).to_csv(raw / "sample_submission.csv", index=False)


def _scan(rng: np.random.Generator, root: Path, case: str, day: str) -> list[tuple[str, str, str]]:
    folder = root / case / f"{case}_{day}" / "scans"
    folder.mkdir(parents=True)
    rows = []
    corners = {organ: (int(rng.integers(1, 12)), int(rng.integers(1, 9))) for organ in ORGANS}
    for number in range(1, SLICES + 1):
        pixels = rng.normal(3_000, 500, (HEIGHT, WIDTH))
        for organ, brightness in ORGANS.items():
            mask = np.zeros((HEIGHT, WIDTH), bool)
            if 1 < number < SLICES:
                top, left = corners[organ]
                mask[top : top + 6, left : left + 4] = True
            pixels[mask] = brightness + rng.normal(0, 500, int(mask.sum()))
            rows.append((f"{case}_{day}_slice_{number:04d}", organ, encode_mask(mask)))
        name = f"slice_{number:04d}_{WIDTH}_{HEIGHT}_1.50_1.50.png"
        (folder / name).write_bytes(encode(np.clip(pixels, 0, 65_535).astype(np.uint16), "PNG"))
    return rows
