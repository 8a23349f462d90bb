"""Bursts of photographs at 40 places; nine species in their colours, and a detector that boxes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.camera_traps import EMPTY, bursts, trap_photograph
from mlebench.synthetic.species import SIDE

SPECIES = 676
CLASSES = [EMPTY, 2, 24, 71, 96, 111, 256, 372, 487, 675]
PLACES = 40


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    count = max(200, int(250 * scale))
    numbers = rng.choice(600, PLACES + 3, replace=False)
    train = bursts(rng, count, numbers[:PLACES].tolist(), CLASSES)
    test = bursts(rng, 5, numbers[PLACES:].tolist(), CLASSES)
    counts = train["label"].value_counts()
    categories = [
        {"id": number, "name": f"species {number}" if number else "empty", "count": int(counts.get(number, 0))}
        for number in CLASSES
    ]
    info = {"year": 2020, "version": 1, "description": "Made up", "contributor": "Nobody"}
    about = {"categories": categories, "info": info}
    annotations = [
        {"count": 1, "image_id": image, "id": f"{burst[:8]}{image[8:]}", "category_id": label}
        for image, burst, label in zip(train["id"], train["seq_id"], train["label"].tolist(), strict=True)
    ]
    _write(raw / "iwildcam2020_train_annotations.json", {"annotations": annotations, "images": _images(train), **about})
    _write(raw / "iwildcam2020_test_information.json", {"images": _images(test), **about})
    everything = pd.concat([train, test])
    detections = [_detection(image, label) for image, label in zip(everything["id"], everything["label"], strict=True)]
    results = {"images": detections, "detection_categories": {"1": "animal", "2": "person"}, "info": {}}
    _write(raw / "iwildcam2020_megadetector_results.json", results)
    for part, shots in (("train", train), ("test", test)):
        (raw / part).mkdir()
        for name, *what in zip(shots["id"], shots["label"], shots["location"], strict=True):
            (raw / part / f"{name}.jpg").write_bytes(trap_photograph(rng, *what))
    sample = pd.DataFrame({"Id": test["id"], "Category": rng.integers(0, SPECIES, len(test))})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _images(shots: pd.DataFrame) -> list[dict]:
    table = shots[["seq_num_frames", "location"]].assign(
        datetime=shots["time"].dt.strftime("%Y-%m-%d %H:%M:%S.000"),
        id=shots["id"],
        frame_num=shots["frame_num"],
        seq_id=shots["seq_id"],
        width=SIDE,
        height=SIDE,
        file_name=shots["id"] + ".jpg",
    )
    return table.to_dict("records")


def _detection(image: str, label: int) -> dict:
    box = {"category": "1", "bbox": [0.2, 0.2, 0.5, 0.5], "conf": 0.9}
    found = [box] if label != EMPTY else []
    return {"id": image, "max_detection_conf": 0.9 if found else 0, "detections": found}


def _write(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document))
