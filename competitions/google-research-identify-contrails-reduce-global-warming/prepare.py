"""As many training records as there are validation records (seed 0) become the test; its masks become run lengths."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from mlebench.data.arrays import array_shape, read_array
from mlebench.data.files import link, link_all, link_tree
from mlebench.data.raw_files import read_raw
from mlebench.data.splits import split_items
from mlebench.data.tables import write_csv
from mlebench.formats.rle import encode_mask

BANDS = tuple(f"band_{band:02d}.npy" for band in range(8, 17))
MASKS = ("human_individual_masks.npy", "human_pixel_masks.npy")
EMPTY = "-"


def prepare(raw: Path, public: Path, private: Path, *, edition: str = "v1") -> None:
    records = json.loads(read_raw(raw / "train_metadata.json"))
    validation = json.loads(read_raw(raw / "validation_metadata.json"))
    train, test = split_items(records, len(validation))
    answers = pd.DataFrame([_answer(raw / "train" / record["record_id"]) for record in test])
    write_csv(answers, private / "answers.csv")
    draw = random.Random(0)
    guesses = [draw.choice(["1 3 10 5", EMPTY]) for _ in range(len(answers))]
    write_csv(answers.assign(encoded_pixels=guesses), public / "sample_submission.csv")
    link_all(_pairs(raw / "train", train, (*BANDS, *MASKS), public / "train"))
    link_all(_pairs(raw / "train", test, BANDS, public / "test"))
    (public / "validation").mkdir()
    link_tree(raw / "validation", public / "validation", required=False)
    (public / "train_metadata.json").write_text(json.dumps(train))
    link(raw / "validation_metadata.json", public / "validation_metadata.json")


def _answer(folder: Path) -> dict[str, str | int]:
    mask = read_array(folder / "human_pixel_masks.npy")
    height, width = array_shape(folder / "band_08.npy")[:2]
    encoded = encode_mask(mask.reshape(mask.shape[:2]) == 1, empty=EMPTY)
    return {"record_id": folder.name, "encoded_pixels": encoded, "height": height, "width": width}


def _pairs(raw: Path, records: Iterable[dict], names: Iterable[str], target: Path) -> Iterator[tuple[Path, Path]]:
    for record in records:
        key = record["record_id"]
        yield from ((raw / key / name, target / key / name) for name in names)
