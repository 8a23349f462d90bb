"""Hotel rooms, each hotel with its own wall and cushions; the hotels belong to a few chains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colours, save_all, spotted
from mlebench.synthetic.text import hex_ids

CHAINS = 6
LISTED_TWICE = "ce27d36c9147cc19.jpg"


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, hotels = max(100, int(400 * scale)), max(12, int(25 * scale))
    names = [f"{name}.jpg" for name in hex_ids(rng, n + 3, 16)]
    hotel = rng.permutation(np.arange(n) % hotels)
    numbers = rng.permutation(hotels * 11)[:hotels]
    times = pd.Timestamp("2016-01-01") + pd.to_timedelta(rng.integers(0, 10**8, n), unit="s")
    train = pd.DataFrame(
        {"image": names[:n], "chain": hotel % CHAINS, "hotel_id": numbers[hotel], "timestamp": times.astype(str)}
    )
    walls = colours(hotels)
    for chain, rows in train.groupby("chain"):
        rooms = ((names[i], _room(rng, walls[hotel[i]], walls[-1 - hotel[i]])) for i in rows.index)
        save_all(raw / "train_images" / str(chain), rooms)
    save_all(raw / "test_images", ((name, _room(rng, walls[0], walls[-1])) for name in names[n:]))
    twice = train.head(2).assign(image=LISTED_TWICE)
    pd.concat([train.head(n // 2), twice, train.tail(n - n // 2)]).to_csv(raw / "train.csv", index=False)
    sample = pd.DataFrame({"image": names[n:], "hotel_id": "36363 53586 18807 64314 60181"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _room(rng: np.random.Generator, wall: tuple[int, int, int], cushions: tuple[int, int, int]) -> np.ndarray:
    return spotted(rng, int(rng.integers(36, 48)), wall, [cushions])
