"""Spectrograms of six panels; a needle is a drifting line in the on-target panels only, interference is in all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids

PANELS, ON_TARGET = 6, (0, 2, 4)
TIMES, FREQUENCIES = 34, 32


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    # Panels grow first, to 272 x 256 (Kaggle's have 273 x 256) at 64 times the size, then items become more.
    side = int(min(8.0, max(1.0, scale**0.5)))
    n, tests = max(60, int(120 * scale / side**2)), max(4, int(20 * scale / side**2))
    ids = hex_ids(rng, n + tests, 12)
    targets = rng.permutation((np.arange(n + tests) % 3 == 0).astype(int))
    for place, (item, target) in enumerate(zip(ids, targets.tolist(), strict=True)):
        _save(raw / ("train" if place < n else "test"), item, _cadence(rng, bool(target), side))
    pd.DataFrame({"id": ids[:n], "target": targets[:n]}).to_csv(raw / "train_labels.csv", index=False)
    pd.DataFrame({"id": ids[n:], "target": 0.5}).to_csv(raw / "sample_submission.csv", index=False)
    old = raw / "old_leaky_data"
    for name, target in (("train", 1), ("test", 0)):
        (item,) = hex_ids(rng, 1, 12)
        _save(old / f"{name}_old", item, _cadence(rng, bool(target), side))
        pd.DataFrame({"id": [item], "target": [target]}).to_csv(old / f"{name}_labels_old.csv", index=False)


def _cadence(rng: np.random.Generator, needle: bool, side: int) -> np.ndarray:
    shape = (PANELS, TIMES * side, FREQUENCIES * side)
    panels = rng.standard_normal(shape, dtype=np.float32)
    times = np.arange(shape[1])
    if rng.random() < 0.3:
        panels[:, :, rng.integers(shape[2])] += 3.0
    if needle:
        line = (rng.integers(shape[2]) + times * rng.choice([-0.5, 0.5])).astype(int) % shape[2]
        for panel in ON_TARGET:
            panels[panel, times, line] += 4.0
    return panels.astype(np.float16)


def _save(folder: Path, item: str, panels: np.ndarray) -> None:
    (folder / item[0]).mkdir(parents=True, exist_ok=True)
    np.save(folder / item[0] / f"{item}.npy", panels)
