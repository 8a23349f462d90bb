"""Dogs as discs, in one colour a breed; a tenth of the pictures, as the recipe draws them, shows every breed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.splits import train_test_positions
from mlebench.synthetic.images import colours, save_all, spotted
from mlebench.synthetic.text import hex_ids

BREEDS = (Path(__file__).parent / "breeds.txt").read_text(encoding="utf-8").split()


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(10 * len(BREEDS), int(10 * len(BREEDS) * scale))
    breed = np.empty(n, dtype=np.int64)
    for part in train_test_positions(n, 0.1):
        breed[part] = rng.permutation(np.arange(len(part)) % len(BREEDS))
    ids, tests = np.split(np.array(hex_ids(rng, n + 10, 32)), [n])
    shades = colours(len(BREEDS))
    save_all(raw / "train", ((f"{name}.jpg", _dog(rng, shades[i])) for name, i in zip(ids, breed, strict=True)))
    save_all(raw / "test", ((f"{name}.jpg", _dog(rng, shades[0])) for name in tests))
    pd.DataFrame({"id": ids, "breed": np.array(BREEDS)[breed]}).to_csv(raw / "labels.csv", index=False)
    sample = pd.DataFrame(1 / len(BREEDS), index=range(len(tests)), columns=BREEDS)
    sample.insert(0, "id", tests)
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _dog(rng: np.random.Generator, coat: tuple[int, int, int]) -> np.ndarray:
    return spotted(rng, 24, coat, [(220, 215, 205)], each=2)
