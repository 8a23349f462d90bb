"""Comments in which a word of its own gives each kind of toxicity away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.data.tables import csv_bytes
from mlebench.synthetic.text import hex_ids, sentences

WORDS = {
    "toxic": "rubbish",
    "severe_toxic": "abysmal",
    "obscene": "darn",
    "threat": "beware",
    "insult": "nitwit",
    "identity_hate": "foreigner",
}
ENDINGS = np.array(["", "\n\n== Again ==\n", ', "he" said', " — naïve…"], dtype=object)


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(60, int(600 * scale)), max(60, int(600 * scale))
    ids = hex_ids(rng, n + tests, 16)
    labels = (rng.random((n + tests, len(WORDS))) < 0.15).astype(int)
    text = pd.Series(sentences(rng, n + tests, words=20), dtype=object)
    for i, word in enumerate(WORDS.values()):
        shown = labels[:, i] != (rng.random(n + tests) < 0.03)  # now and then the word misleads
        text = text.where(~shown, text + f" {word}")
    text = text + ENDINGS[rng.integers(0, len(ENDINGS), n + tests)]
    frame = pd.DataFrame({"id": ids, "comment_text": text, **dict(zip(WORDS, labels.T, strict=True))})
    test = frame.tail(tests)
    truth = test.drop(columns="comment_text")
    truth.iloc[rng.random(tests) < 0.5, 1:] = -1
    _write(raw, "train.csv", frame.head(n))
    _write(raw, "test.csv", test[["id", "comment_text"]])
    _write(raw, "test_labels.csv", truth)
    _write(raw, "sample_submission.csv", truth.assign(**dict.fromkeys(WORDS, 0.5)))


def _write(raw: Path, name: str, table: pd.DataFrame) -> None:
    write_zip(raw / f"{name}.zip", [(name, csv_bytes(table))])
