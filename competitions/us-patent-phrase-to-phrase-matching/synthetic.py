"""Phrases of two words each; the score is the share of words that anchor and target have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids

WORDS = np.array(
    [
        "abatement",
        "absorbent",
        "acid",
        "angular",
        "base",
        "circuit",
        "coating",
        "contact",
        "display",
        "fluid",
        "frame",
        "gear",
        "housing",
        "panel",
        "pollution",
        "sensor",
        "shaft",
        "signal",
        "tube",
        "valve",
    ],
    dtype=object,
)
CONTEXTS = ["A47", "A61", "B60", "C08", "F16", "G01", "G06", "H01", "H04"]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(1500 * scale))
    anchor, target = rng.integers(0, len(WORDS), (2, n, 4))
    common = rng.integers(0, 5, n)  # of four words
    target = np.where(np.arange(4) < common[:, None], anchor, target)
    frame = pd.DataFrame(
        {
            "id": hex_ids(rng, n, 16),
            "anchor": [" ".join(row) for row in WORDS[anchor]],
            "target": [" ".join(row) for row in WORDS[target]],
            "context": rng.choice(CONTEXTS, n),
            "score": common / 4,
        }
    )
    frame.loc[rng.random(n) < 0.005, "target"] = "null"
    frame.to_csv(raw / "train.csv", index=False)
    test = frame.drop(columns="score").head(36)
    test.to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(score=0).to_csv(raw / "sample_submission.csv", index=False)
