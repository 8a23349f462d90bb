"""Bursts of photographs at 40 places; ten of the 23 classes occur, each in its colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.camera_traps import bursts, trap_photograph
from mlebench.synthetic.species import SIDE

CLASSES = [0, 1, 3, 8, 10, 11, 13, 16, 17, 19]
PLACES = 40
COLUMNS = [
    "category_id", "date_captured", "file_name", "frame_num", "id", "location", "rights_holder", "seq_id",
    "seq_num_frames", "width", "height",
]  # fmt: skip


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    count = max(300, int(400 * scale))
    for part, bursts_of_part, places in (("train", count, range(PLACES)), ("test", 5, range(PLACES, PLACES + 3))):
        shots = bursts(rng, bursts_of_part, places, CLASSES)
        table = shots.rename(columns={"label": "category_id"}).assign(
            date_captured=shots["time"].dt.strftime("%Y-%m-%d %H:%M:%S"),
            file_name=shots["id"] + ".jpg",
            rights_holder="Nobody",
            width=SIDE,
            height=SIDE,
        )
        shown = COLUMNS if part == "train" else COLUMNS[1:]
        table[shown].to_csv(raw / f"{part}.csv", index=False)
        rows = zip(table["file_name"], table["category_id"], table["location"], strict=True)
        write_zip(raw / f"{part}_images.zip", ((name, trap_photograph(rng, *what)) for name, *what in rows))
    sample = pd.DataFrame({"Id": shots["id"], "Category": 0})
    sample.to_csv(raw / "sample_submission.csv", index=False)
