"""Rides between random places in the city: a fixed fee, so much a kilometre, and some noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

KM_PER_DEGREE = (84.0, 111.0)
"""Of longitude and latitude, at New York's latitude."""
LEAFLET = b"{\\rtf1\\ansi Coupons for cloud credits were handed out here.}\n"


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(50, int(10_000 * scale)), max(10, int(200 * scale))
    rides = _rides(rng, n + tests)
    rides.head(n).to_csv(raw / "train.csv", index=False)
    rides.tail(tests).drop(columns="fare_amount").to_csv(raw / "test.csv", index=False)
    rides.tail(tests)[["key"]].assign(fare_amount=11.35).to_csv(raw / "sample_submission.csv", index=False)
    (raw / "GCP-Coupons-Instructions.rtf").write_bytes(LEAFLET)


def _rides(rng: np.random.Generator, n: int) -> pd.DataFrame:
    seconds = rng.integers(0, 6 * 365 * 86_400, n)
    times = pd.Series(pd.Timestamp("2009-01-01") + pd.to_timedelta(seconds, unit="s")).dt.strftime("%Y-%m-%d %H:%M:%S")
    start = np.array([-73.98, 40.75]) + rng.normal(0, 0.03, (n, 2))
    end = start + rng.normal(0, 0.03, (n, 2))
    start[rng.random(n) < 0.02] = 0.0  # the meter had no signal
    km = np.hypot(*((end - start) * KM_PER_DEGREE).T).clip(0, 60)
    fare = np.round((2.5 + 2.0 * km + rng.normal(0, 1.0, n)) * 10) / 10
    end[rng.random(n) < 0.002] = np.nan
    serial = pd.Series(np.arange(1, n + 1)).astype(str).str.zfill(7)  # makes keys of the same second differ
    return pd.DataFrame(
        {
            "key": times + "." + serial,
            "fare_amount": fare,
            "pickup_datetime": times + " UTC",
            "pickup_longitude": np.round(start[:, 0], 6),
            "pickup_latitude": np.round(start[:, 1], 6),
            "dropoff_longitude": np.round(end[:, 0], 6),
            "dropoff_latitude": np.round(end[:, 1], 6),
            "passenger_count": rng.choice([1, 2, 3, 4, 5, 6], n, p=[0.7, 0.14, 0.05, 0.02, 0.07, 0.02]),
        }
    )
