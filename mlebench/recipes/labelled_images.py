"""Images with COCO-like metadata (aligned lists of annotations and images), split within every category.

The published recipes of several species competitions share this: categories in order of their first annotation, the
same seeded split inside each, and a test list that is shuffled as a whole.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlebench.data.splits import train_test_positions
from mlebench.data.tables import write_csv
from mlebench.errors import DataError

Record = dict[str, Any]
Pair = tuple[Record, Record]
"""An image's annotation and its entry in the list of images."""
FEW = 5
"""Categories of fewer images are split by the rule for few."""
SEED = 0


def pairs_by_category(metadata: Mapping[str, Any], *, image_id: str = "id") -> list[list[Pair]]:
    """The pairs of each category in file order; categories in order of first appearance.

    `image_id` is the key of an image's id within the list of images. DataError when the two lists are not aligned.
    """
    groups: dict[int, list[Pair]] = {}
    annotations, images = metadata["annotations"], metadata["images"]
    if len(annotations) != len(images):
        raise DataError(
            f"The metadata have {len(annotations):,} annotations of {len(images):,} images; fetch it again."
        )
    for annotation, image in zip(annotations, images, strict=True):
        if annotation["image_id"] != image[image_id]:
            raise DataError(f"The annotations and images of the metadata part at image {image[image_id]!r}.")
        groups.setdefault(annotation["category_id"], []).append((annotation, image))
    return list(groups.values())


def split_within(
    groups: Sequence[list[Pair]], test_size: float, *, few_apart: bool = True
) -> tuple[list[list[Pair]], list[Pair]]:
    """Train pairs of each category and, shuffled, the test pairs of all.

    Each category is split by `train_test_positions` with seed 0. With `few_apart` those of fewer than five images
    give their last max(1, int(test_size * n)) images to the test set instead, and one of a single image gives none.
    The test pairs are joined in the order of the categories and shuffled by Python's `random.Random(0)`.
    """
    train, test = [], []
    for group in groups:
        kept, held_out = _positions(len(group), test_size, few_apart)
        train.append([group[i] for i in kept])
        test += [group[i] for i in held_out]
    random.Random(SEED).shuffle(test)
    return train, test


@cache
def _positions(n: int, test_size: float, few_apart: bool) -> tuple[list[int], list[int]]:
    if few_apart and n < FEW:
        first = n - max(1, int(test_size * n)) if n > 1 else n
        return list(range(first)), list(range(first, n))
    train, test = train_test_positions(n, test_size, SEED)
    return train.tolist(), test.tolist()


def with_pairs(metadata: Mapping[str, Any], groups: Sequence[list[Pair]]) -> Record:
    """The metadata with these pairs, category after category, instead of its own; everything else stays."""
    pairs = [pair for group in groups for pair in group]
    return {**metadata, "annotations": [pair[0] for pair in pairs], "images": [pair[1] for pair in pairs]}


def write_json(document: Any, path: Path) -> None:
    """Write metadata as the published recipes do: four blanks an indentation, sorted keys, no final line feed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="ascii") as file:
        json.dump(document, file, indent=4, sort_keys=True)


def write_answers(
    test: Sequence[Pair],
    ids: Sequence[int],
    public: Path,
    private: Path,
    *,
    sample: str,
    guess: int,
    columns: Sequence[str],
) -> None:
    """Write answers.csv, and the sample submission `sample` that says `guess` for every image.

    `columns` are the names of the id and of the category.
    """
    id_column, category = columns
    answers = pd.DataFrame({id_column: np.asarray(ids), category: [pair[0]["category_id"] for pair in test]})
    write_csv(answers, private / "answers.csv")
    write_csv(answers.assign(**{category: guess}), public / sample)
