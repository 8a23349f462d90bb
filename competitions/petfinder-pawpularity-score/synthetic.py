"""Pets in front of walls; bright photos of sharp faces are popular."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import save_all, spotted
from mlebench.synthetic.text import hex_ids

ATTRIBUTES = [
    "Subject Focus", "Eyes", "Face", "Near", "Action", "Accessory", "Group", "Collage", "Human", "Occlusion", "Info",
    "Blur",
]  # fmt: skip


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(100, int(400 * scale)), 8
    photos = pd.DataFrame({"Id": hex_ids(rng, n + tests, 32)})
    for name in ATTRIBUTES:
        photos[name] = (rng.random(len(photos)) < (0.8 if name in ("Eyes", "Face", "Near") else 0.1)).astype(int)
    photos["Eyes"] *= 1 - photos["Blur"]
    light = rng.uniform(60, 200, len(photos))
    score = (light - 60) / 2 + 10 * photos["Face"] - 10 * photos["Blur"] + rng.normal(10, 5, len(photos))
    pets = ((f"{name}.jpg", _pet(rng, mean)) for name, mean in zip(photos["Id"], light, strict=True))
    save_all(raw / "train", (next(pets) for _ in range(n)))
    save_all(raw / "test", pets)
    train, test = photos.head(n).assign(Pawpularity=score.round().clip(1, 100).astype(int)), photos.tail(tests)
    train.to_csv(raw / "train.csv", index=False)
    test.to_csv(raw / "test.csv", index=False)
    guesses = rng.uniform(1, 100, tests).round(2)
    test[["Id"]].assign(Pawpularity=guesses).to_csv(raw / "sample_submission.csv", index=False)


def _pet(rng: np.random.Generator, light: float) -> np.ndarray:
    return spotted(rng, 40, (light, light, light), [(120, 90, 60)], each=2)
