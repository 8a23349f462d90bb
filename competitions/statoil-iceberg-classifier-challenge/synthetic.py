"""Radar echoes in two polarizations: icebergs are larger and brighter blobs than ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlebench.data.sevenzip import write_7z
from mlebench.data.tables import csv_bytes
from mlebench.synthetic.text import hex_ids

SIDE = 75
NOISE_DB = {"band_1": -22.0, "band_2": -28.0}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(40, int(60 * scale)), max(5, int(8 * scale))
    ids = hex_ids(rng, n + tests, 8)
    icebergs = rng.permutation(np.arange(n + tests) % 2)
    records = [_sample(rng, name, bool(iceberg)) for name, iceberg in zip(ids, icebergs, strict=True)]
    ships = [record for record in records[:n] if not record["is_iceberg"]]
    for record in ships[:: max(1, len(ships) // 5)]:
        record["inc_angle"] = "na"
    test = [{field: value for field, value in record.items() if field != "is_iceberg"} for record in records[n:]]
    for name, part in (("train", records[:n]), ("test", test)):
        write_7z(raw / f"{name}.json.7z", [(f"data/processed/{name}.json", json.dumps(part).encode())])
    sample = pd.DataFrame({"id": ids[n:], "is_iceberg": 0.5})
    write_7z(raw / "sample_submission.csv.7z", [("data/processed/sample_submission.csv", csv_bytes(sample))])


def _sample(rng: np.random.Generator, name: str, iceberg: bool) -> dict[str, Any]:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    y, x = rng.uniform(25, 50, 2)
    radius = rng.uniform(6, 10) if iceberg else rng.uniform(2, 5)
    peak = rng.uniform(18, 26) if iceberg else rng.uniform(10, 20)
    blob = peak * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / radius**2)
    bands = {
        # Echoes are known to a step only, which also packs well.
        band: np.round(level + rng.normal(0, 1.5, blob.shape) + blob, 1).ravel().tolist()
        for band, level in NOISE_DB.items()
    }
    return {"id": name, **bands, "inc_angle": round(float(rng.uniform(30, 45)), 4), "is_iceberg": int(iceberg)}
