"""Products with one to four pictures, whose colour tells the category."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.bson import encode
from mlebench.synthetic.images import colours, spotted
from mlebench.synthetic.images import encode as encode_image

CATEGORIES = [1000010653, 1000004079, 1000018290, 1000000055, 1000016018]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(150, int(400 * scale)), max(10, int(100 * scale))
    side = min(180, int(24 * max(1.0, scale) ** 0.25))
    numbers = np.sort(rng.choice(20 * (n + tests), n + tests, replace=False)).tolist()
    kinds = rng.integers(0, len(CATEGORIES), n + tests).tolist()
    colour = colours(len(CATEGORIES))
    train = rng.permutation(np.arange(n + tests) < n).tolist()
    with (
        (raw / "train.bson").open("xb") as labelled,
        (raw / "test.bson").open("xb") as hidden,
        (raw / "train_example.bson").open("xb") as example,
    ):
        for count, (number, kind, known) in enumerate(zip(numbers, kinds, train, strict=True)):
            pictures = [
                encode_image(spotted(rng, side, colour[kind]), "JPEG", quality=80)
                for _ in range(rng.choice(4, p=[0.6, 0.2, 0.1, 0.1]) + 1)
            ]
            product = {"_id": number, "category_id": CATEGORIES[kind], "imgs": [{"picture": one} for one in pictures]}
            if not known:
                del product["category_id"]
            document = encode(product)
            (labelled if known else hidden).write(document)
            if known and count < 100:
                example.write(document)
    tests_only = [number for number, known in zip(numbers, train, strict=True) if not known]
    sample = pd.DataFrame({"_id": tests_only, "category_id": CATEGORIES[0]})
    sample.to_csv(raw / "sample_submission.csv", index=False)
    names = pd.DataFrame({"category_id": CATEGORIES, "category_level1": "MAISON", "category_level2": "DÉCO, TEXTILE"})
    names["category_level3"] = [f"COULEUR {i}" for i in range(len(names))]
    names.to_csv(raw / "category_names.csv", index=False)
