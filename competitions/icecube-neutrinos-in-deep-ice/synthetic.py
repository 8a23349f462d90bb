"""Events whose pulses lie along a line through a small grid of sensors; time grows along the flight of the neutrino."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.tables import write_parquet

SIDE, LAYERS = 7, 9
FLIGHT = 0.3
"""Metres a nanosecond."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    batches = max(10, min(660, int(20 * scale)))
    events = max(20, int(20 * scale))
    grid = np.stack(np.meshgrid(*[np.linspace(-500, 500, k) for k in (SIDE, SIDE, LAYERS)], indexing="ij"), axis=-1)
    sensors = grid.reshape(-1, 3)
    pd.DataFrame(sensors, columns=list("xyz")).rename_axis("sensor_id").round(2).to_csv(raw / "sensor_geometry.csv")

    for folder in ("train", "test"):
        (raw / folder).mkdir()
    meta = []
    first_id = 0
    for batch in range(1, batches + 2):
        table, pulses = _batch(rng, sensors, batch, events, first_id)
        first_id = int(table["event_id"].iloc[-1])
        folder = "train" if batch <= batches else "test"
        write_parquet(pulses, raw / folder / f"batch_{batch}.parquet", index=True)
        meta.append(table)
    write_parquet(pd.concat(meta[:-1], ignore_index=True), raw / "train_meta.parquet")
    write_parquet(meta[-1].drop(columns=["azimuth", "zenith"]), raw / "test_meta.parquet")
    write_parquet(meta[-1][["event_id"]].assign(azimuth=1.0, zenith=1.0), raw / "sample_submission.parquet")


def _batch(
    rng: np.random.Generator, sensors: np.ndarray, batch: int, events: int, first_id: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The events of a batch, and its pulses."""
    azimuth, zenith = rng.uniform(0, 2 * np.pi, events), np.arccos(rng.uniform(-1, 1, events))
    came_from = np.stack([np.cos(azimuth) * np.sin(zenith), np.sin(azimuth) * np.sin(zenith), np.cos(zenith)], axis=1)
    counts = rng.integers(10, 51, events)
    last = np.cumsum(counts) - 1
    ids = first_id + np.cumsum(rng.integers(1, 40, events))
    meta = pd.DataFrame(
        {
            "batch_id": batch,
            "event_id": ids,
            "first_pulse_index": last - counts + 1,
            "last_pulse_index": last,
            "azimuth": azimuth,
            "zenith": zenith,
        }
    )
    event = np.arange(events).repeat(counts)
    along = rng.uniform(-450, 450, len(event))
    order = np.lexsort((along, event))
    along = along[order]
    where = -came_from[event] * along[:, None] + rng.normal(0, 40, (len(event), 3))
    steps = [1000 / (side - 1) for side in (SIDE, SIDE, LAYERS)]
    cells = [np.clip(np.rint((where[:, i] + 500) / steps[i]), 0, (SIDE, SIDE, LAYERS)[i] - 1) for i in range(3)]
    sensor = (cells[0] * SIDE + cells[1]) * LAYERS + cells[2]
    pulses = pd.DataFrame(
        {
            "sensor_id": sensor.astype(np.int16),
            "time": (10_000 + along / FLIGHT).astype(np.int64),
            "charge": rng.exponential(1.0, len(event)).round(3).astype(np.float32),
            "auxiliary": rng.random(len(event)) < 0.3,
        },
        index=pd.Index(ids[event], name="event_id"),
    )
    return meta, pulses
