"""Sentences in which each author favours a few words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.text import sentence

WORDS = {
    "EAP": ["purloined", "beating", "pendulum", "raven"],
    "HPL": ["eldritch", "cyclopean", "abyss", "nameless"],
    "MWS": ["creature", "glacier", "benevolent", "misery"],
}
ENDINGS = [".", "!", ', he said, "no".', ", naïve as ever.", '; "once", she wrote.']


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(30, int(600 * scale))
    authors = rng.choice(list(WORDS), n, p=[0.4, 0.29, 0.31])
    numbers = rng.choice(np.arange(max(30_000, 2 * n)), n, replace=False)
    frame = pd.DataFrame(
        {
            "id": [f"id{number:05d}" for number in numbers],
            "text": [sentence(rng, WORDS[author], share=0.15) + str(rng.choice(ENDINGS)) for author in authors],
            "author": authors,
        }
    )
    tables = {
        "train": frame,
        "test": frame[["id", "text"]].head(5),
        "sample_submission": frame[["id"]].head(5).assign(EAP=0.4, HPL=0.3, MWS=0.3),
    }
    for name, table in tables.items():
        buffer = io.StringIO()
        table.to_csv(buffer, index=False)
        write_zip(raw / f"{name}.zip", [(f"{name}.csv", buffer.getvalue().encode())])
