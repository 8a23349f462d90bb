"""Flukes in one colour a whale, those of new whales in random colours; some whales with one picture, some with more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colours, save_all, spotted
from mlebench.synthetic.text import hex_ids


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    whales, singles, new, tests = (max(low, int(low * scale)) for low in (40, 30, 30, 20))
    keys = [f"w_{digits}" for digits in hex_ids(rng, whales + singles, 7)]
    pictures = np.r_[rng.integers(2, 8, whales), np.ones(singles, dtype=np.int64)]
    ids = np.concatenate([np.repeat(keys, pictures), np.repeat("new_whale", new)])
    coats = np.concatenate([np.repeat(colours(len(keys)), pictures, axis=0), rng.integers(30, 220, (new, 3))])
    order = rng.permutation(len(ids))
    names = np.array([f"{name}.jpg" for name in hex_ids(rng, len(ids) + tests, 8)])
    train, test = np.sort(names[: len(ids)]), names[len(ids) :]
    save_all(raw / "train", ((name, _fluke(rng, coats[i])) for name, i in zip(train, order, strict=True)))
    save_all(raw / "test", ((name, _fluke(rng, coats[0])) for name in test))
    pd.DataFrame({"Image": train, "Id": ids[order]}).to_csv(raw / "train.csv", index=False)
    sample = "new_whale w_1287fbc w_98baff9 w_7554f44 w_1eafe46"
    pd.DataFrame({"Image": test, "Id": sample}).to_csv(raw / "sample_submission.csv", index=False)


def _fluke(rng: np.random.Generator, coat: np.ndarray) -> np.ndarray:
    return spotted(rng, 40, tuple(coat.tolist()), [(70, 100, 140)], each=2)
