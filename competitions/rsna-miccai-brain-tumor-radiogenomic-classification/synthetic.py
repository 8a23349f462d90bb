"""Slices of heads with a tumour that is brighter in one series where the label is 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.synthetic.images import noise, with_ellipse

SERIES = {"FLAIR": 50, "T1w": 35, "T1wCE": 45, "T2w": 60}
"""Series -> brightness of the brain."""
BRIGHTER = "FLAIR"
SLICES = 2


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(60, int(60 * scale)), max(3, int(9 * scale))
    side = min(512, int(16 * max(1.0, scale) ** 0.5))
    ids = [f"{number:05d}" for number in np.sort(rng.choice(max(1010, 2 * (n + tests)), n + tests, replace=False))]
    labels = rng.permutation(np.arange(n + tests) % 2)
    for place, (patient, label) in enumerate(zip(ids, labels.tolist(), strict=True)):
        folder = raw / ("train" if place < n else "test") / patient
        for series, level in SERIES.items():
            _write_series(rng, folder / series, level, 60 * label if series == BRIGHTER else 0, side)
    pd.DataFrame({"BraTS21ID": ids[:n], "MGMT_value": labels[:n]}).to_csv(raw / "train_labels.csv", index=False)
    pd.DataFrame({"BraTS21ID": ids[n:], "MGMT_value": 0.5}).to_csv(raw / "sample_submission.csv", index=False)


def _write_series(rng: np.random.Generator, folder: Path, level: int, glow: int, side: int) -> None:
    folder.mkdir(parents=True)
    first = int(rng.integers(1, 30))
    patient, series = folder.parent.name, folder.name
    for number in range(first, first + SLICES):
        pixels = noise(rng, side, side, mean=level, spread=8)
        x, y = rng.uniform(0.2, 0.5, 2) * side
        pixels = with_ellipse(pixels, (x, y, x + side / 3, y + side / 3), level + 80 + glow)
        slice_ = encode_dicom(
            pixels.astype(np.uint16), Modality="MR", PatientID=patient, SeriesDescription=series, InstanceNumber=number
        )
        (folder / f"Image-{number}.dcm").write_bytes(slice_)
