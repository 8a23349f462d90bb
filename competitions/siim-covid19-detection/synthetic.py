"""Chest radiographs of noise; opacities are bright rectangles, and their size tells the class of the study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.synthetic.images import noise
from mlebench.synthetic.text import hex_ids

SHARE = {
    "Negative for Pneumonia": 0.0,
    "Typical Appearance": 0.5,
    "Indeterminate Appearance": 0.35,
    "Atypical Appearance": 0.2,
}
"""Side of an opacity as a share of the picture's, by class."""


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    """`scale` multiplies the studies; pictures stay small."""
    n = max(120, int(120 * scale))
    kinds = rng.permutation(np.arange(n) % len(SHARE))
    several = np.where(np.arange(n) % 12 == 5, 2, 1)
    ids = iter(hex_ids(rng, 2 * n + int(several.sum()), 12))
    rows, studies = [], []
    for kind, count in zip(kinds, several, strict=True):
        study = next(ids)
        studies.append(study)
        folder = raw / "train" / study / next(ids)
        folder.mkdir(parents=True)
        for number in range(count):
            image = next(ids)
            # Of several images only the first one carries boxes.
            side = list(SHARE.values())[kind] if number == 0 else 0.0
            pixels, boxes = _picture(rng, side)
            (folder / f"{image}.dcm").write_bytes(encode_dicom(pixels, Modality="DX", PatientID=study))
            rows.append((f"{image}_image", *_labels(boxes), study))
    flags = {name: (kinds == kind).astype(int) for kind, name in enumerate(SHARE)}
    table = pd.DataFrame({"id": [f"{study}_study" for study in studies], **flags})
    table.to_csv(raw / "train_study_level.csv", index=False)
    images = pd.DataFrame(rows, columns=["id", "boxes", "label", "StudyInstanceUID"])
    images.sample(frac=1, random_state=0).to_csv(raw / "train_image_level.csv", index=False)
    sample = pd.DataFrame({"id": ["00188a671292_study", "65761e66de9f_image"]})
    sample.assign(PredictionString=["negative 1 0 0 1 1", "none 1 0 0 1 1"]).to_csv(
        raw / "sample_submission.csv", index=False
    )


def _picture(rng: np.random.Generator, share: float) -> tuple[np.ndarray, list[tuple[float, float, float, float]]]:
    """Pixels, and boxes as x, y, width, height: one in each lung, now and then in one only; none where share is 0."""
    height, width = 72, 80
    pixels, boxes = noise(rng, height, width, mean=70, spread=12), []
    lungs = [] if share == 0 else [0, width // 2] if rng.random() < 0.7 else [0]
    for lung in lungs:
        wide, high = share * width / 2 * rng.uniform(0.9, 1.1), share * height * rng.uniform(0.9, 1.1)
        x, y = lung + rng.uniform(1, width / 2 - wide - 1), rng.uniform(1, height - high - 1)
        pixels[int(y) : int(y + high), int(x) : int(x + wide)] += np.uint8(90)
        boxes.append((round(x, 5), round(y, 5), round(wide, 5), round(high, 5)))
    return pixels, boxes


def _labels(boxes: list[tuple[float, float, float, float]]) -> tuple[str, str]:
    """The columns boxes and label of an image."""
    if not boxes:
        return "", "none 1 0 0 1 1"
    listed = [dict(zip(("x", "y", "width", "height"), box, strict=True)) for box in boxes]
    return str(listed), " ".join(f"opacity 1 {x} {y} {x + wide} {y + high}" for x, y, wide, high in boxes)
