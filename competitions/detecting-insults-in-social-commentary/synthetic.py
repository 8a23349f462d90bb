"""Comments that insult with invented words, written as Kaggle wrote them: quoted and backslash-escaped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import sentence

INSULTS = ["you blorf", "you utter snarg", "wobblehead", "you pathetic grunk"]
ENDINGS = ["", ", right?", " \\xa0", "\\nThat's all.", ' he said ""no""', " \\u2019tis so", "\\\\o/", ' \\"really\\"']


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    train, test = max(60, int(300 * scale)), max(40, int(200 * scale))
    frame = _comments(rng, train + test)
    frame.head(train).to_csv(raw / "train.csv", index=False)
    answers = frame.tail(test).assign(Usage=np.where(rng.random(test) < 0.5, "PublicTest", "PrivateTest"))
    answers.to_csv(raw / "test_with_solutions.csv", index=False)
    # Kaggle's test.csv is of the later verification stage; the recipe must not depend on it.
    later = _comments(rng, 10).drop(columns="Insult").assign(id=range(1, 11))
    later[["id", "Date", "Comment"]].to_csv(raw / "test.csv", index=False)
    later.assign(Insult=0)[["id", "Insult", "Date", "Comment"]].to_csv(raw / "sample_submission_null.csv", index=False)


def _comments(rng: np.random.Generator, n: int) -> pd.DataFrame:
    insulting = rng.random(n) < 0.27
    texts = [sentence(rng, INSULTS if bad else (), share=0.25) for bad in insulting]
    endings = rng.choice(ENDINGS, n)
    stamps = pd.Timestamp("2012-05-01") + pd.to_timedelta(rng.integers(0, 150 * 86400, n), unit="s")
    dates = pd.Series(stamps).dt.strftime("%Y%m%d%H%M%SZ")
    return pd.DataFrame(
        {
            "Insult": insulting.astype(int),
            "Date": dates.where(rng.random(n) > 0.2),
            # The running number keeps comments distinct however many there are.
            "Comment": [f'"{text}{end} ({i})"' for i, (text, end) in enumerate(zip(texts, endings, strict=True))],
        }
    )
