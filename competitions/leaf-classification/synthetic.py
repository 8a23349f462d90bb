"""Leaf shapes whose proportions, margins and textures depend on the species."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.data.tables import csv_bytes
from mlebench.synthetic.images import encode, with_ellipse

SPECIES = [
    "Acer_Capillipes", "Acer_Circinatum", "Acer_Mono", "Acer_Opalus", "Alnus_Cordata", "Alnus_Rubra",
    "Betula_Pendula", "Castanea_Sativa", "Cornus_Chinensis", "Fagus_Sylvatica", "Ginkgo_Biloba", "Ilex_Aquifolium",
    "Morus_Nigra", "Populus_Nigra", "Prunus_Avium", "Quercus_Ilex", "Quercus_Suber", "Quercus_x_Turneri",
    "Salix_Fragilis", "Zelkova_Serrata",
]  # fmt: skip
"""Some of the 99."""
BLOCKS = ("margin", "shape", "texture")
BINS = 64


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    each = max(10, int(10 * scale))
    n, tests = each * len(SPECIES), max(10, int(120 * scale))
    ids = rng.permutation(np.arange(1, n + tests + 1))
    species = rng.permutation(np.arange(n + tests) % len(SPECIES))
    centres = rng.gamma(2.0, 0.01, (len(SPECIES), len(BLOCKS) * BINS))
    values = np.round(centres[species] * rng.uniform(0.6, 1.4, (n + tests, centres.shape[1])), 6)
    names = [f"{block}{i}" for block in BLOCKS for i in range(1, BINS + 1)]
    features = pd.DataFrame(values, columns=names)
    features.insert(0, "id", ids)
    train = features.head(n).copy()
    train.insert(1, "species", np.array(SPECIES)[species[:n]])
    test = features.tail(tests).sort_values("id")
    sample = test[["id"]].assign(**dict.fromkeys(SPECIES, 1 / len(SPECIES)))
    for name, table in (("train", train.sort_values("id")), ("test", test), ("sample_submission", sample)):
        write_zip(raw / f"{name}.csv.zip", [(f"{name}.csv", csv_bytes(table))])
    pictures = ((f"images/{leaf}.jpg", _leaf(rng, kind)) for leaf, kind in zip(ids.tolist(), species, strict=True))
    write_zip(raw / "images.zip", pictures)


def _leaf(rng: np.random.Generator, kind: int) -> bytes:
    """A black silhouette on white, as broad as its species is."""
    height, width = rng.integers(24, 40), 12 + int(kind)
    return encode(with_ellipse(np.full((height, width), 255, np.uint8), (1, 1, width - 2, height - 2), 0), "JPEG")
