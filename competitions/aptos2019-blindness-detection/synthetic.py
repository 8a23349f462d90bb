"""Round orange retinas on black; the rating is the number of dark red bleedings, in fours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import save_all, spotted
from mlebench.synthetic.text import hex_ids

RATINGS = 5


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(100, int(400 * scale)), max(5, int(20 * scale))
    ids = hex_ids(rng, n + tests, 12)
    rating = rng.permutation(np.arange(n + tests) % RATINGS)
    eyes = ((f"{name}.png", _eye(rng, int(rate))) for name, rate in zip(ids, rating, strict=True))
    save_all(raw / "train_images", (next(eyes) for _ in range(n)))
    save_all(raw / "test_images", eyes)
    pd.DataFrame({"id_code": ids[:n], "diagnosis": rating[:n]}).to_csv(raw / "train.csv", index=False)
    test = pd.DataFrame({"id_code": ids[n:]})
    test.to_csv(raw / "test.csv", index=False)
    test.assign(diagnosis=0).to_csv(raw / "sample_submission.csv", index=False)


def _eye(rng: np.random.Generator, rating: int) -> np.ndarray:
    side = int(rng.integers(40, 49))
    away = np.hypot(*np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    pixels = spotted(rng, side, (190, 100, 50), [(110, 20, 15)], each=4 * rating)
    return np.where(away[..., None] < 0.95, pixels, np.uint8(0))
