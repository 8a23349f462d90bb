"""Essays that grow with their score and use a weightier word for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids, sentences

MARKS = {1: "bad", 2: "ok", 3: "fine", 4: "good", 5: "cogent", 6: "compelling"}
SHARES = [0.12, 0.25, 0.3, 0.2, 0.08, 0.05]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(120, int(900 * scale))
    scores = rng.choice(list(MARKS), n, p=SHARES)
    counts = scores * 2 + rng.poisson(3, n)
    pool = sentences(rng, int(counts.sum()))
    marked = rng.random(len(pool)) < 0.2
    authors = np.repeat(scores, counts).tolist()
    lines = [f"{s}, {MARKS[a]}." if m else f"{s}." for s, a, m in zip(pool, authors, marked.tolist(), strict=True)]
    ends = np.cumsum(counts).tolist()
    texts = [
        'They say "it depends".\n\n' + " ".join(lines[end - count : end])
        for end, count in zip(ends, counts.tolist(), strict=True)
    ]
    frame = pd.DataFrame({"essay_id": hex_ids(rng, n, 7), "full_text": texts, "score": scores})
    frame.to_csv(raw / "train.csv", index=False)
    test = frame.drop(columns="score").head(3)
    test.to_csv(raw / "test.csv", index=False)
    test[["essay_id"]].assign(score=3).to_csv(raw / "sample_submission.csv", index=False)
