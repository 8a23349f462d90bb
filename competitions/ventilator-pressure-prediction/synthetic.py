"""Breaths of 80 steps through a lung with resistance and compliance; the pressure follows from both and the valve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

STEPS = 80


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(20, int(100 * scale))
    train = _breaths(rng, np.sort(rng.choice(2 * n, n, replace=False)) + 1, 1)
    train.to_csv(raw / "train.csv", index=False)
    test = _breaths(rng, np.arange(2 * n + 1, 2 * n + 4), len(train) + 1)
    test.drop(columns="pressure").to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(pressure=0).to_csv(raw / "sample_submission.csv", index=False)


def _breaths(rng: np.random.Generator, breaths: np.ndarray, first_id: int) -> pd.DataFrame:
    n = len(breaths)
    resistance, compliance = rng.choice([5, 20, 50], (n, 1)), rng.choice([10, 20, 50], (n, 1))
    times = np.arange(STEPS) * (0.0325 + rng.normal(0, 1e-4, (n, 1)))
    out = times > rng.uniform(0.9, 1.1, (n, 1))
    u_in = np.clip(rng.uniform(5, 40, (n, 1)) * np.exp(-2 * times) + rng.normal(0, 1, (n, STEPS)), 0, 100)
    u_in[out] = 5.0
    volume = np.cumsum(u_in * 0.0325, axis=1)
    pressure = 5 + resistance * u_in / 100 + volume * 20 / compliance + rng.normal(0, 0.1, (n, STEPS))
    pressure = np.where(out, 6.0 + rng.normal(0, 0.2, (n, STEPS)), pressure)
    each = lambda column: np.broadcast_to(column, (n, STEPS)).ravel()  # noqa: E731
    return pd.DataFrame(
        {
            "id": np.arange(first_id, first_id + n * STEPS),
            "breath_id": breaths.repeat(STEPS),
            "R": each(resistance),
            "C": each(compliance),
            "time_step": times.ravel(),
            "u_in": u_in.ravel(),
            "u_out": out.ravel().astype(int),
            "pressure": pressure.ravel(),
        }
    )
