"""Pictures with spots whose colours are the attributes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colours, save_all, spotted
from mlebench.synthetic.text import hex_ids

KINDS = ("country", "culture", "dimension", "medium", "tags")
ATTRIBUTES = 20


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(60, int(240 * scale)), max(5, int(40 * scale))
    side = min(300, int(24 * max(1.0, scale) ** 0.25))
    colour = colours(ATTRIBUTES)
    ids = hex_ids(rng, n + tests, 32)
    counts = rng.integers(1, 4, n + tests)
    attributes = [np.sort(rng.choice(ATTRIBUTES, count, replace=False)).tolist() for count in counts]
    pictures = (
        (f"{name}.png", spotted(rng, side, (128, 128, 128), [colour[i] for i in own]))
        for name, own in zip(ids, attributes, strict=True)
    )
    save_all(raw / "train", (next(pictures) for _ in range(n)))
    save_all(raw / "test", pictures)
    texts = [" ".join(map(str, own)) for own in attributes]
    pd.DataFrame({"id": ids[:n], "attribute_ids": texts[:n]}).to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"id": ids[n:], "attribute_ids": "0 1 2"}).to_csv(raw / "sample_submission.csv", index=False)
    names = [f"{KINDS[i % len(KINDS)]}::spots {i}" for i in range(ATTRIBUTES)]
    labels = pd.DataFrame({"attribute_id": range(ATTRIBUTES), "attribute_name": names})
    labels.to_csv(raw / "labels.csv", index=False)
