"""Noisy chest pictures with a bright rectangle for each finding, read by three radiologists with a shaky hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.synthetic.images import noise
from mlebench.synthetic.text import hex_ids

FINDINGS = [
    "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Consolidation", "ILD", "Infiltration",
    "Lung Opacity", "Nodule/Mass", "Other lesion", "Pleural effusion", "Pleural thickening", "Pneumothorax",
    "Pulmonary fibrosis",
]  # fmt: skip
NO_FINDING = len(FINDINGS)
READERS = 3


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(160 * scale))
    side = min(1024, int(64 * max(1.0, scale) ** 0.5))
    for folder in ("train", "test"):
        (raw / folder).mkdir()
    ids = hex_ids(rng, n + 5, 32)
    rows = []
    for i, image in enumerate(ids[:n]):
        pixels = noise(rng, side, side, mean=60, spread=10).astype(np.uint16)
        readers = rng.choice(np.arange(1, 18), READERS, replace=False)
        findings = [] if i % 3 == 0 else rng.choice(len(FINDINGS), rng.integers(1, 4), replace=True).tolist()
        if not findings:
            rows += [(image, "No finding", NO_FINDING, f"R{reader}", *[np.nan] * 4) for reader in readers]
        for finding in findings:
            corner = rng.integers(0, side // 2, 2)
            box = np.r_[corner, corner + rng.integers(side // 8, side // 2, 2)]
            pixels[box[1] : box[3], box[0] : box[2]] += 100 + 10 * finding
            for reader in readers:
                seen = np.clip(box + rng.integers(-2, 3, 4), 0, side - 1).astype(float)
                rows.append((image, FINDINGS[finding], finding, f"R{reader}", *seen))
        (raw / "train" / f"{image}.dicom").write_bytes(_dicom(pixels))
    for image in ids[n:]:
        pixels = noise(rng, side, side, mean=60, spread=10).astype(np.uint16)
        (raw / "test" / f"{image}.dicom").write_bytes(_dicom(pixels))
    columns = ["image_id", "class_name", "class_id", "rad_id", "x_min", "y_min", "x_max", "y_max"]
    frame = pd.DataFrame(rows, columns=columns).iloc[rng.permutation(len(rows))]
    frame.to_csv(raw / "train.csv", index=False)
    sample = pd.DataFrame({"image_id": ids[n:], "PredictionString": "14 1 0 0 1 1"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _dicom(pixels: np.ndarray) -> bytes:
    return encode_dicom(pixels, BitsStored=12, Modality="DX", PatientSex="O")
