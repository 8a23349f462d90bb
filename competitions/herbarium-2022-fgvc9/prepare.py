"""A fifth of the images of every taxon (seed 0) to the test set; both sides get new names."""

from __future__ import annotations

import json
from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.raw_files import read_raw
from mlebench.recipes.labelled_images import (
    Pair,
    pairs_by_category,
    split_within,
    with_pairs,
    write_answers,
    write_json,
)

COLUMNS = ("Id", "Predicted")
GUESS = 42


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    metadata = json.loads(read_raw(raw / "train_metadata.json"))
    train, test = split_within(pairs_by_category(metadata, image_id="image_id"), 0.2, few_apart=False)
    renamed = [[_renamed(pair, number) for number, pair in enumerate(group, 1)] for group in train]
    write_json(with_pairs(metadata, renamed), public / "train_metadata.json")
    link_all(
        (raw / "train_images" / old["file_name"], public / "train_images" / new["file_name"])
        for before, after in zip(train, renamed, strict=True)
        for (_, old), (_, new) in zip(before, after, strict=True)
    )

    names = [f"{k // 1000:03d}/test-{k:06d}.jpg" for k in range(len(test))]
    images = [
        {**image, "image_id": str(k), "file_name": name}
        for k, ((_, image), name) in enumerate(zip(test, names, strict=True))
    ]
    write_json(images, public / "test_metadata.json")
    link_all(
        (raw / "train_images" / image["file_name"], public / "test_images" / name)
        for (_, image), name in zip(test, names, strict=True)
    )
    write_answers(test, range(len(test)), public, private, sample="sample_submission.csv", guess=GUESS, columns=COLUMNS)


def _renamed(pair: Pair, number: int) -> Pair:
    """Copies of the pair with the image's new id and place: its category and its number within that."""
    annotation, image = pair
    category = annotation["category_id"]
    key = f"{category:05d}__{number:03d}"
    name = f"{category // 100:03d}/{category % 100:02d}/{key}.jpg"
    return {**annotation, "image_id": key}, {**image, "image_id": key, "file_name": name}
