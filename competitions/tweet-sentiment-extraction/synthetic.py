"""Tweets that carry their sentiment in one short phrase; a neutral one is selected whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids, sentence

PHRASES = {
    "positive": ["so good", "lovely", 'really "great"', "awesome, thanks", "i`m happy"],
    "negative": ["so bad", "awful", "really sad", "hate it, sorry", "i`m sick"],
}
"""What a tweet of this sentiment says, and what is to be selected."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(800 * scale))
    sentiments = rng.choice(["neutral", "positive", "negative"], n, p=[0.4, 0.32, 0.28])
    texts, selected = [], []
    for sentiment in sentiments:
        before, after = sentence(rng, words=4), sentence(rng, words=4).lower()
        if sentiment == "neutral":
            texts.append(f" {before} {after}")
            selected.append(f"{before} {after}")
        else:
            phrase = str(rng.choice(PHRASES[sentiment]))
            texts.append(f" {before} {phrase} {after}")
            selected.append(phrase)
    frame = pd.DataFrame(
        {"textID": hex_ids(rng, n, 10), "text": texts, "selected_text": selected, "sentiment": sentiments}
    )
    frame.to_csv(raw / "train.csv", index=False)
    test = frame[["textID", "text", "sentiment"]].head(20)
    test.to_csv(raw / "test.csv", index=False)
    test[["textID"]].assign(selected_text="").to_csv(raw / "sample_submission.csv", index=False)
