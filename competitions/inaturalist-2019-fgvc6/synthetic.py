"""Photographs of plants and animals in their species' colour, in COCO-like lists and gzipped tars."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_tar
from mlebench.synthetic.species import SIDE, mixed_categories, photograph
from mlebench.synthetic.text import hex_ids

CATEGORIES = 1010
SIZES = [12, 20, 10, 3, 15, 1, 26, 11]
"""Images of a category; every rule of the split has its turn."""
GROUPS = ["Amphibians", "Birds", "Fungi", "Insects", "Plants", "Reptiles"]
MEADOW = (110.0, 140.0, 90.0)
LICENSES = [{"id": number, "name": f"licence {number}", "url": ""} for number in range(1, 4)]


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the categories up to the real 1010, and from there on the images of each."""
    count = min(CATEGORIES, max(8, int(16 * scale)))
    more = max(1, int(16 * scale / CATEGORIES))
    categories = np.sort(rng.choice(CATEGORIES, count, replace=False))
    labels = mixed_categories(rng, categories, [size * more for size in SIZES])
    validation = rng.permutation(categories).tolist()
    hidden = rng.choice(categories, 4).tolist()
    everything = [*labels, *validation, *hidden]
    numbers = rng.permutation(len(everything)).tolist()
    stems = hex_ids(rng, len(everything), 32)
    holders = [f"photographer {number}" for number in rng.integers(0, len(everything) // 3, len(everything))]
    licences = rng.integers(1, len(LICENSES) + 1, len(everything)).tolist()

    entries, files = [], []
    for place, label in enumerate(everything):
        labelled = place < len(labels) + len(validation)
        folder = f"train_val2019/{GROUPS[label % len(GROUPS)]}/{label}" if labelled else "test2019"
        name = f"{folder}/{stems[place]}.jpg"
        entries.append(
            {
                "id": numbers[place], "width": SIDE, "height": SIDE, "file_name": name, "license": licences[place],
                "rights_holder": holders[place],
            }
        )  # fmt: skip
        files.append((name, photograph(rng, label, MEADOW)))
    info = {"year": 2019, "version": "1.0", "description": "Made up", "contributor": "", "url": "", "date_created": ""}
    about = {"info": info, "licenses": LICENSES}
    ends = np.cumsum([0, len(labels), len(validation)]).tolist()
    for name, start, end in (("train", *ends[:2]), ("val", *ends[1:])):
        annotations = [
            {"id": numbers[place], "image_id": numbers[place], "category_id": everything[place]}
            for place in range(start, end)
        ]
        listed = {"annotations": annotations, "categories": [_category(number) for number in categories.tolist()]}
        _write(raw / f"{name}2019.json", {**about, "images": entries[start:end], **listed})
    _write(raw / "test2019.json", {**about, "images": entries[ends[2] :]})
    write_tar(raw / "train_val2019.tar.gz", sorted(files[: ends[2]]), compressed=True)
    write_tar(raw / "test2019.tar.gz", sorted(files[ends[2] :]), compressed=True)
    sample = pd.DataFrame({"id": numbers[ends[2] :], "predicted": 0})
    sample.to_csv(raw / "kaggle_sample_submission.csv", index=False)


def _category(number: int) -> dict[str, str | int]:
    ranks = {rank: f"{rank}{number % 5}" for rank in ("kingdom", "phylum", "class", "order", "family", "genus")}
    return {"id": number, "name": f"Genus species{number}", **ranks}


def _write(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")
