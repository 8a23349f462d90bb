"""Sheets of paper with a plant in its taxon's colour, in the layout of 2022."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.herbarium import LICENSES, PAPER
from mlebench.synthetic.species import mixed_categories, photograph

TAXA = 15_505
"""Category ids lie below; some are not in use."""
SIZES = [7, 12, 5, 2, 9, 16]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    taxa = min(TAXA - 4, max(6, int(24 * scale)))
    categories = np.sort(np.append(rng.choice(TAXA - 1, taxa - 1, replace=False), TAXA - 1))
    labels = mixed_categories(rng, categories, SIZES)
    genera = max(3, taxa // 5)
    institutions = rng.integers(0, 6, len(labels)).tolist()
    seen: dict[int, int] = {}
    annotations, images = [], []
    for label, institution in zip(labels, institutions, strict=True):
        seen[label] = seen.get(label, 0) + 1
        key = f"{label:05d}__{seen[label]:03d}"
        name = f"{label // 100:03d}/{label % 100:02d}/{key}.jpg"
        annotations.append(
            {"image_id": key, "category_id": label, "genus_id": label % genera, "institution_id": institution}
        )
        images.append({"image_id": key, "file_name": name, "license": 1})
        _write(raw / "train_images" / name, photograph(rng, label, PAPER))
    metadata = {
        "annotations": annotations,
        "images": images,
        "categories": [_category(number, genera) for number in categories.tolist()],
        "genera": [{"genus_id": number, "genus": f"genus{number}"} for number in range(genera)],
        "distances": [
            {"genus_id_x": x, "genus_id_y": y, "distance": float(distance)}
            for (x, y), distance in zip(
                combinations(range(genera), 2), rng.uniform(1, 300, genera * (genera - 1) // 2), strict=True
            )
        ],
        "institutions": [{"institution_id": number, "collectionCode": f"herb{number}"} for number in range(6)],
        "license": LICENSES,
    }
    (raw / "train_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")

    hidden = [{"image_id": str(k), "file_name": f"000/test-{k:06d}.jpg", "license": 1} for k in range(3)]
    for image in hidden:
        _write(raw / "test_images" / image["file_name"], photograph(rng, int(rng.choice(categories)), PAPER))
    (raw / "test_metadata.json").write_text(json.dumps(hidden), encoding="utf-8")
    pd.DataFrame({"Id": range(3), "Predicted": 42}).to_csv(raw / "sample_submission.csv", index=False)


def _category(number: int, genera: int) -> dict[str, str | int]:
    genus, species = f"genus{number % genera}", f"species{number}"
    return {
        "category_id": number, "scientificName": f"{genus} {species}", "family": f"family{number % genera % 4}",
        "genus": genus, "species": species, "authors": "L.",
    }  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
