"""Sentences cut into nested phrases; words of praise and blame decide each phrase's sentiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.data.tables import csv_bytes
from mlebench.synthetic.text import FILLER

OPINIONS = {"dreadful": -2, "dull": -1, "charming": 1, "superb": 2}
PHRASES_PER_SENTENCE = 12
WORDS = 16


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    count = max(20, int(100 * scale))
    phrases = _phrases(rng, count)
    phrases.loc[phrases.index[len(phrases) // 2], "Phrase"] = "null"
    _write(raw, "train.tsv", phrases)
    test = _phrases(rng, max(2, count // 20)).drop(columns="Sentiment")
    test["PhraseId"] += len(phrases)
    test["SentenceId"] += count
    _write(raw, "test.tsv", test)
    test[["PhraseId"]].assign(Sentiment=2).to_csv(raw / "sampleSubmission.csv", index=False)


def _phrases(rng: np.random.Generator, sentences: int) -> pd.DataFrame:
    """Each sentence whole, then pieces of it, down to single words."""
    vocabulary = np.array([*FILLER, *OPINIONS, ",", "'s"], dtype=object)
    values = np.array([OPINIONS.get(word, 0) for word in vocabulary])
    weights = np.where(values != 0, 3.0, 1.0)
    drawn = rng.choice(len(vocabulary), (sentences, WORDS), p=weights / weights.sum())
    starts = np.sort(rng.integers(0, WORDS - 1, (sentences, PHRASES_PER_SENTENCE)), axis=1)
    ends = np.minimum(WORDS, starts + 1 + rng.integers(0, 8, starts.shape))
    starts[:, 0], ends[:, 0] = 0, WORDS
    words, scores = vocabulary[drawn].tolist(), np.cumsum(np.pad(values[drawn], ((0, 0), (1, 0))), axis=1)
    rows = np.arange(sentences)[:, None]
    sentiment = 2 + np.clip(scores[rows, ends] - scores[rows, starts], -2, 2)
    spans = zip(np.repeat(np.arange(sentences), PHRASES_PER_SENTENCE), starts.ravel(), ends.ravel(), strict=True)
    return pd.DataFrame(
        {
            "PhraseId": np.arange(1, sentiment.size + 1),
            "SentenceId": np.repeat(np.arange(1, sentences + 1), PHRASES_PER_SENTENCE),
            "Phrase": [" ".join(words[i][start:end]) for i, start, end in spans],
            "Sentiment": sentiment.ravel(),
        }
    )


def _write(raw: Path, name: str, table: pd.DataFrame) -> None:
    write_zip(raw / f"{name}.zip", [(name, csv_bytes(table, sep="\t"))])
