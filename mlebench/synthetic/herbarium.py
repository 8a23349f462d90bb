"""Made-up plant sheets in the raw layout that Herbarium 2020 and 2021 share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.species import SIDE, mixed_categories, photograph

PAPER = (225.0, 215.0, 190.0)
SIZES = [12, 5, 3, 10, 1, 7, 4, 15, 2, 20]
"""Images of a species; every rule of the split has its turn."""
INFO = {
    "year": 2020, "version": "1.0", "url": "", "description": "Made-up plant sheets", "contributor": "",
    "date_created": "2020-01-01",
}  # fmt: skip
LICENSES = [{"id": 1, "name": "Attribution", "url": ""}]


def write_herbarium_raw(
    raw: Path, rng: np.random.Generator, scale: float, *, folder: str, places: str, rank: str, encoding: str
) -> None:
    """Write `folder`/train and `folder`/test with metadata.json and images, and a sample submission.

    `places` names the list of where a sheet is from ("regions", "institutions"); an annotation names one by
    `<singular>_id`. `rank` is what a species tells besides its family. `scale` multiplies the number of species.
    """
    species = max(10, int(20 * scale))
    numbers = np.sort(rng.choice(2 * species, species, replace=False))
    labels = mixed_categories(rng, numbers, SIZES)
    ids = rng.permutation(len(labels)).tolist()
    at = rng.integers(0, 4, len(labels)).tolist()
    names = [f"images/{label // 100:03d}/{label % 100:02d}/{i}.jpg" for i, label in zip(ids, labels, strict=True)]
    metadata = {
        "info": INFO,
        "licenses": LICENSES,
        "categories": [
            {
                "id": number,
                "name": f"Lühea species{number}",
                "family": f"family{number % 7}",
                rank: f"{rank}{number % 11}",
            }
            for number in numbers.tolist()
        ],
        places: [{"id": number, "name": f"{places} {number}"} for number in range(4)],
        "images": [_image(i, name) for i, name in zip(ids, names, strict=True)],
        "annotations": [
            {"id": i, "image_id": i, "category_id": label, f"{places.removesuffix('s')}_id": where}
            for i, label, where in zip(ids, labels, at, strict=True)
        ],
    }
    train, test = raw / folder / "train", raw / folder / "test"
    _write(train, metadata, encoding)
    for name, label in zip(names, labels, strict=True):
        path = train / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photograph(rng, label, PAPER))

    hidden = [_image(i, f"images/000/{i}.jpg") for i in range(3)]
    _write(test, {"info": INFO, "licenses": LICENSES, "images": hidden}, encoding)
    (test / "images" / "000").mkdir(parents=True)
    for image in hidden:
        (test / image["file_name"]).write_bytes(photograph(rng, int(rng.choice(numbers)), PAPER))
    pd.DataFrame({"Id": range(len(hidden)), "Predicted": 0}).to_csv(raw / "sample_submission.csv", index=False)


def _image(number: int, name: str) -> dict:
    return {"id": number, "width": SIDE, "height": SIDE, "file_name": name, "license": 1}


def _write(folder: Path, metadata: dict, encoding: str) -> None:
    folder.mkdir(parents=True)
    text = json.dumps(metadata, ensure_ascii=False)
    (folder / "metadata.json").write_text(text, encoding=encoding)
