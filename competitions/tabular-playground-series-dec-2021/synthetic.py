"""Forest cells whose cover type follows their elevation, with classes as unequal as the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

TERRAIN = {
    "Elevation": (2980, 290),
    "Aspect": (152, 110),
    "Slope": (15, 9),
    "Horizontal_Distance_To_Hydrology": (271, 227),
    "Vertical_Distance_To_Hydrology": (52, 68),
    "Horizontal_Distance_To_Roadways": (1767, 1316),
    "Hillshade_9am": (212, 31),
    "Hillshade_Noon": (221, 22),
    "Hillshade_3pm": (141, 44),
    "Horizontal_Distance_To_Fire_Points": (1581, 1128),
}
"""Column: mean and spread."""
ELEVATION_BOUNDS = [2150, 2400, 2470, 2900, 3480]
COVER_BY_ELEVATION = np.array([4, 3, 6, 2, 1, 7])
"""Cover type below, between and above the bounds."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(100, int(4000 * scale))
    columns: dict[str, np.ndarray] = {"Id": np.arange(n)}
    for name, (mean, spread) in TERRAIN.items():
        columns[name] = np.rint(rng.normal(mean, spread, n)).astype(np.int64)
    for name, count in (("Wilderness_Area", 4), ("Soil_Type", 40)):
        for number in range(1, count + 1):
            columns[f"{name}{number}"] = (rng.random(n) < 1.2 / count).astype(np.int64)
    blurred = columns["Elevation"] + rng.normal(0, 40, n)
    cover = COVER_BY_ELEVATION[np.searchsorted(ELEVATION_BOUNDS, blurred)]
    cover[n // 2] = 5
    frame = pd.DataFrame({**columns, "Cover_Type": cover})
    frame.to_csv(raw / "train.csv", index=False)
    test = frame.drop(columns="Cover_Type").head(20).assign(Id=np.arange(n, n + 20))
    test.to_csv(raw / "test.csv", index=False)
    test[["Id"]].assign(Cover_Type=2).to_csv(raw / "sample_submission.csv", index=False)
