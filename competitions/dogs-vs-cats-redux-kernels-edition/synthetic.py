"""Brown dogs and grey cats, with class and number in the file name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.images import encode, spotted

COATS = {"cat": (120, 120, 130), "dog": (140, 110, 80)}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    each, tests = max(20, int(150 * scale)), max(5, int(20 * scale))
    train = ((f"train/{kind}.{i}.jpg", _animal(rng, kind)) for kind in COATS for i in range(each))
    write_zip(raw / "train.zip", train)
    write_zip(raw / "test.zip", ((f"test/{i}.jpg", _animal(rng, "dog")) for i in range(1, tests + 1)))
    sample = pd.DataFrame({"id": range(1, tests + 1), "label": 0.5})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _animal(rng: np.random.Generator, kind: str) -> bytes:
    side = int(rng.integers(32, 49))
    return encode(spotted(rng, side, COATS[kind], [(90, 160, 70)]), "JPEG", quality=85)
