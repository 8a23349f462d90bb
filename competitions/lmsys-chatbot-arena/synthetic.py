"""Conversations in which the longer answer tends to win."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import sentences

MODELS = ["aria-7b", "bolt-13b", "cedar-70b", "delta-2"]
AWKWARD = [" \N{SLIGHTLY SMILING FACE}", ', he said "no".', "\n\nnaïve", " a\\b"]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(60, int(900 * scale))
    lengths = rng.integers(1, 8, (2, n))
    margin = lengths[0] - lengths[1] + rng.normal(0, 1.0, n)
    winner = np.where(margin > 1, 0, np.where(margin < -1, 1, 2))
    first, second = (_turns(rng, lengths[side]) for side in (0, 1))
    models = rng.choice(MODELS, (2, n))
    frame = pd.DataFrame(
        {
            "id": rng.choice(np.arange(10_000, 10_000 + 40 * n), n, replace=False),
            "model_a": models[0],
            "model_b": models[1],
            "prompt": _turns(rng, np.ones(n, dtype=np.int64)),
            "response_a": first,
            "response_b": second,
            "winner_model_a": (winner == 0).astype(int),
            "winner_model_b": (winner == 1).astype(int),
            "winner_tie": (winner == 2).astype(int),
        }
    )
    frame.to_csv(raw / "train.csv", index=False)
    test = frame[["id", "prompt", "response_a", "response_b"]].head(3)
    test.to_csv(raw / "test.csv", index=False)
    names = ["winner_model_a", "winner_model_b", "winner_tie"]
    test[["id"]].assign(**dict.fromkeys(names, 1 / 3)).to_csv(raw / "sample_submission.csv", index=False)


def _turns(rng: np.random.Generator, counts: np.ndarray) -> list[str]:
    """One turn a row, of so many sentences, as a JSON list."""
    pool = sentences(rng, int(counts.sum()))
    tails = rng.choice(np.array(AWKWARD, dtype=object), len(counts)).tolist()
    ends = np.cumsum(counts).tolist()
    return [
        json.dumps([". ".join(pool[end - count : end]) + tail], ensure_ascii=bool(end % 2))
        for end, count, tail in zip(ends, counts.tolist(), tails, strict=True)
    ]
