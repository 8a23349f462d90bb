"""Cassava leaves with spots in one colour a disease, as JPEG files and in TFRecord shards with their labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.tfrecord import encode_example, write_records
from mlebench.synthetic.images import colours, save_all, spotted

CLASSES = {
    "0": "Cassava Bacterial Blight (CBB)",
    "1": "Cassava Brown Streak Disease (CBSD)",
    "2": "Cassava Green Mottle (CGM)",
    "3": "Cassava Mosaic Disease (CMD)",
    "4": "Healthy",
}
SHARDS = 16


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    per_shard = max(20, int(25 * scale))
    n = per_shard * SHARDS
    numbers = np.sort(rng.choice(4_000_000_000 - 1_000_000_000, n + 1, replace=False)) + 1_000_000_000
    names = [f"{number}.jpg" for number in rng.permutation(numbers)]
    # Every shard holds every class; three fifths of the pictures show the mosaic disease.
    label = np.concatenate(
        [rng.permutation(np.r_[0, 1, 2, 4, _mostly_mosaic(rng, per_shard - 4)]) for _ in range(SHARDS)]
    )
    shades = colours(len(CLASSES))
    leaves = ((name, spotted(rng, 40, (90, 140, 70), [shades[k]])) for name, k in zip(names, label, strict=False))
    save_all(raw / "train_images", leaves)
    save_all(raw / "test_images", [(names[n], spotted(rng, 40, (90, 140, 70)))])
    for shard in range(SHARDS):
        own = range(shard * per_shard, (shard + 1) * per_shard)
        records = (_record(raw / "train_images" / names[i], target=[int(label[i])]) for i in own)
        write_records(raw / "train_tfrecords" / f"ld_train{shard:02d}-{per_shard}.tfrec", records)
    write_records(raw / "test_tfrecords" / "ld_test00-1.tfrec", [_record(raw / "test_images" / names[n])])
    train = pd.DataFrame({"image_id": names[:n], "label": label}).sort_values("image_id")
    train.to_csv(raw / "train.csv", index=False)
    pd.DataFrame({"image_id": names[n:], "label": 4}).to_csv(raw / "sample_submission.csv", index=False)
    (raw / "label_num_to_disease_map.json").write_text(json.dumps(CLASSES), encoding="utf-8")


def _mostly_mosaic(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.choice(len(CLASSES), count, p=[0.06, 0.1, 0.1, 0.62, 0.12])


def _record(image: Path, **label: list[int]) -> bytes:
    return encode_example({"image": [image.read_bytes()], "image_name": [image.name.encode()], **label})
