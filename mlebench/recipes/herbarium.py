"""Herbarium 2020 and 2021: a fifth of every species to the test set, whose images get new numbers."""

from __future__ import annotations

import json
from pathlib import Path

from mlebench.data.files import link_all
from mlebench.data.raw_files import read_raw
from mlebench.recipes.labelled_images import pairs_by_category, split_within, with_pairs, write_answers, write_json

TEST_SIZE = 0.2
COLUMNS = ("Id", "Predicted")


def prepare_herbarium(raw: Path, public: Path, private: Path, *, folder: str = "", encoding: str = "utf-8") -> None:
    """Split `folder`/train/metadata.json and its images; `folder` stands before train and test on both sides.

    Train images and their entries keep ids and names. Test image k of the shuffled list becomes images/KKK/k.jpg
    with KKK = k // 1000. Two million images need some 4 GB.
    """
    source, target = raw / folder / "train", public / folder
    metadata = json.loads(read_raw(source / "metadata.json").decode(encoding))
    train, test = split_within(pairs_by_category(metadata), TEST_SIZE)
    write_json(with_pairs(metadata, train), target / "train" / "metadata.json")
    names = [image["file_name"] for group in train for _, image in group]
    link_all((source / name, target / "train" / name) for name in names)

    names = [f"images/{k // 1000:03d}/{k}.jpg" for k in range(len(test))]
    images = [
        {**image, "id": str(k), "file_name": name} for k, ((_, image), name) in enumerate(zip(test, names, strict=True))
    ]
    about = {key: metadata[key] for key in ("info", "licenses")}
    write_json({**about, "images": images}, target / "test" / "metadata.json")
    link_all(
        (source / image["file_name"], target / "test" / name) for (_, image), name in zip(test, names, strict=True)
    )
    write_answers(test, range(len(test)), public, private, sample="sample_submission.csv", guess=0, columns=COLUMNS)
