"""Skies of noise; a contrail is a diagonal line in which two infrared bands differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

FRAMES, LABELLED = 8, 4
HEIGHT, WIDTH = 16, 20
LABELLERS = 4


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the number of records; an array stays tiny (really 256 x 256)."""
    validation = max(5, int(5 * scale))
    train = 4 * validation
    numbers = rng.choice(8_000_000_000_000_000_000, train + validation + 2, replace=False)
    keys = [str(number + 10**18) for number in numbers]
    for position, key in enumerate(keys):
        part = "train" if position < train else "validation" if position < train + validation else "test"
        _record(rng, raw / part / key, contrail=position % 5 > 1, part=part)
    tables = {"train": keys[:train], "validation": keys[train : train + validation]}
    for part, chosen in tables.items():
        (raw / f"{part}_metadata.json").write_text(json.dumps([_metadata(rng, key) for key in chosen]))
    sample = pd.DataFrame({"record_id": keys[-2:], "encoded_pixels": ["1 3 10 5", "-"]})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _record(rng: np.random.Generator, folder: Path, *, contrail: bool, part: str) -> None:
    folder.mkdir(parents=True)
    mask = np.zeros((HEIGHT, WIDTH, 1), np.int32)
    if contrail:
        top, left = rng.integers(0, 5), rng.integers(0, 6)
        length = int(rng.integers(8, 12))
        mask[top + np.arange(length), left + np.arange(length)] = 1
    shape = (HEIGHT, WIDTH, FRAMES)
    for band in range(8, 17):
        heat = rng.normal(260 + 2 * band, 1.5, shape).astype(np.float32)
        if band == 15:
            heat[:, :, LABELLED] += 12 * mask[:, :, 0]
        np.save(folder / f"band_{band:02d}.npy", heat)
    if part == "test":
        return
    np.save(folder / "human_pixel_masks.npy", mask)
    if part == "train":
        seen = (rng.random((HEIGHT, WIDTH, 1, LABELLERS)) < 0.9) & (mask[..., None] > 0)
        np.save(folder / "human_individual_masks.npy", seen.astype(np.int32))


def _metadata(rng: np.random.Generator, key: str) -> dict[str, str | float]:
    return {
        "record_id": key,
        "projection_wkt": 'PROJCS["unnamed",GEOGCS["unnamed ellipse"],PROJECTION["Lambert_Azimuthal_Equal_Area"]]',
        "row_min": float(rng.uniform(0, 5e5)),
        "row_size": 1000.41,
        "col_min": float(rng.uniform(-2e6, 2e6)),
        "col_size": 1000.41,
        "timestamp": float(rng.integers(1_550_000_000, 1_590_000_000)),
    }
