"""Neck scans of one slice a vertebra; a fracture is a bright spot in the slice of its vertebra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.formats.nifti import encode_nifti

ROOT = "1.2.826.0.1.3680043."
VERTEBRAE = [f"C{number}" for number in range(1, 8)]
SIDE = 16
SPOT = 4
THICKNESS = 15.0


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(120, int(160 * scale))
    studies = [f"{ROOT}{number}" for number in rng.choice(np.arange(1000, 1000 + 20 * n), n, replace=False)]
    fractured = np.zeros((n, len(VERTEBRAE)), dtype=np.int64)
    ill = rng.permutation(n)[: n // 2]
    for place, study in enumerate(ill):
        others = rng.choice(len(VERTEBRAE), 2, replace=False)
        fractured[study, [place % len(VERTEBRAE), *others]] = 1
    table = pd.DataFrame({"StudyInstanceUID": studies, "patient_overall": fractured.max(axis=1)})
    table[VERTEBRAE] = fractured
    table.to_csv(raw / "train.csv", index=False)

    boxed, segmented = set(ill[: n // 8].tolist()), set(ill[n // 16 : n // 16 + n // 8].tolist())
    boxes: list[tuple[str, float, float, float, float, int]] = []
    (raw / "segmentations").mkdir()
    for place, study in enumerate(studies):
        corners = rng.integers(2, SIDE - SPOT - 2, (len(VERTEBRAE), 2))
        _scan(rng, raw / "train_images" / study, study, fractured[place], corners)
        if place in boxed:
            boxes += [
                (study, float(x), float(y), float(SPOT), float(SPOT), number + 1)
                for number, (y, x) in enumerate(corners.tolist())
                if fractured[place, number]
            ]
        if place in segmented:
            (raw / "segmentations" / f"{study}.nii").write_bytes(_segmentation())
    names = ["StudyInstanceUID", "x", "y", "width", "height", "slice_number"]
    pd.DataFrame(boxes, columns=names).to_csv(raw / "train_bounding_boxes.csv", index=False)

    hidden = f"{ROOT}{1000 + 20 * n}"
    _scan(rng, raw / "test_images" / hidden, hidden, fractured[0], np.full((len(VERTEBRAE), 2), 4))
    kinds = ["patient_overall", *VERTEBRAE]
    test = pd.DataFrame({"row_id": [f"{hidden}_{kind}" for kind in kinds], "StudyInstanceUID": hidden})
    test.assign(prediction_type=kinds).to_csv(raw / "test.csv", index=False)
    test[["row_id"]].assign(fractured=0.5).to_csv(raw / "sample_submission.csv", index=False)


def _scan(rng: np.random.Generator, folder: Path, study: str, fractured: np.ndarray, corners: np.ndarray) -> None:
    """Slices 1.dcm to 7.dcm from the head down, in Hounsfield units."""
    folder.mkdir(parents=True)
    for number, (y, x) in enumerate(corners.tolist()):
        pixels = rng.normal(40, 15, (SIDE, SIDE))
        if fractured[number]:
            pixels[y : y + SPOT, x : x + SPOT] += 600
        content = encode_dicom(
            pixels.astype(np.int16), Modality="CT", PatientID=study, StudyInstanceUID=study,
            SOPInstanceUID=f"{study}.{number + 1}", InstanceNumber=number + 1, SliceThickness=THICKNESS,
            ImagePositionPatient=f"0\\0\\{-number * THICKNESS}", ImageOrientationPatient="1\\0\\0\\0\\1\\0",
            PixelSpacing="1\\1", RescaleIntercept=0, RescaleSlope=1,
        )  # fmt: skip
        (folder / f"{number + 1}.dcm").write_bytes(content)


def _segmentation() -> bytes:
    """Label 1 to 7 in the middle of each slice, stored from left to right in sagittal planes."""
    axial = np.zeros((len(VERTEBRAE), SIDE, SIDE), np.uint8)
    axial[:, 5:11, 5:11] = np.arange(1, len(VERTEBRAE) + 1)[:, None, None]
    affine = [[0.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [-THICKNESS, 0.0, 0.0, 0.0]]
    return encode_nifti(axial, affine)
