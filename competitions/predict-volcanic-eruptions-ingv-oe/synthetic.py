"""Segments of ten sensors that grow calmer with the time to the eruption; some readings, and some sensors, are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SENSORS = 10
FARTHEST = 49_000_000


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(30, min(4431, int(80 * scale)))
    samples = int(np.clip(200 * scale, 200, 60_001))
    extra = max(3, n // 20)
    ids = rng.choice(2**31 - 1, n + extra, replace=False)
    times = rng.integers(6000, FARTHEST, n + extra)
    for folder, part in (("train", slice(0, n)), ("test", slice(n, n + extra))):
        (raw / folder).mkdir()
        for segment, time in zip(ids[part].tolist(), times[part].tolist(), strict=True):
            _segment(rng, samples, time).to_csv(raw / folder / f"{segment}.csv", index=False)
    pd.DataFrame({"segment_id": ids[:n], "time_to_eruption": times[:n]}).to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"segment_id": ids[n:], "time_to_eruption": 0}).to_csv(raw / "sample_submission.csv", index=False)


def _segment(rng: np.random.Generator, samples: int, time: int) -> pd.DataFrame:
    spread = 900 * (1.2 - time / FARTHEST)
    readings = rng.normal(0, spread, (samples, SENSORS)).round().clip(-32767, 32767)
    readings[rng.random(readings.shape) < 0.002] = np.nan
    readings[:, rng.random(SENSORS) < 0.05] = np.nan
    return pd.DataFrame(readings, columns=[f"sensor_{i + 1}" for i in range(SENSORS)])
