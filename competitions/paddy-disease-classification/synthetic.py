"""Rice leaves with spots in one colour a disease; normal ones have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.images import colours, save_all, spotted

LABELS = [
    "bacterial_leaf_blight", "bacterial_leaf_streak", "bacterial_panicle_blight", "blast", "brown_spot", "dead_heart",
    "downy_mildew", "hispa", "normal", "tungro",
]  # fmt: skip
VARIETIES = ["ADT45", "IR20", "KarnatakaPonni", "Onthanel", "Ponni"]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    each, tests = max(20, int(40 * scale)), max(5, int(100 * scale))
    n = each * len(LABELS)
    names = [f"{number}.jpg" for number in 100001 + rng.permutation(n)]
    left = iter(names)
    for label, colour in zip(LABELS, colours(len(LABELS)), strict=True):
        spots = [] if label == "normal" else [colour]
        save_all(raw / "train_images" / label, ((next(left), _leaf(rng, spots)) for _ in range(each)))
    unlabelled = [f"{200001 + i}.jpg" for i in range(tests)]
    save_all(raw / "test_images", ((name, _leaf(rng, [])) for name in unlabelled))
    train = pd.DataFrame({"image_id": names, "label": np.repeat(LABELS, each)})
    train = train.assign(variety=rng.choice(VARIETIES, n, p=[0.6, 0.1, 0.1, 0.1, 0.1]), age=rng.integers(45, 83, n))
    train.to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"image_id": unlabelled, "label": ""}).to_csv(raw / "sample_submission.csv", index=False)


def _leaf(rng: np.random.Generator, spots: list[tuple[int, int, int]]) -> np.ndarray:
    return spotted(rng, 40, (90, 150, 80), spots, each=6)
