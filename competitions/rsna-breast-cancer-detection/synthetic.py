"""Mammograms of noise inside a breast; cancer is a bright spot seen in both views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom

SIDE = 32
SPOT = 5
FIRST_MACHINES = (21, 29, 48, 49)


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    patients = max(40, int(120 * scale))
    table = _table(rng, patients)
    hidden = _table(rng, 2).assign(patient_id=lambda t: t["patient_id"] + 100_000)
    table.to_csv(raw / "train.csv", index=False)
    test = hidden.assign(prediction_id=hidden["patient_id"].astype(str) + "_" + hidden["laterality"])
    shown = ["site_id", "patient_id", "image_id", "laterality", "view", "age", "implant", "machine_id", "prediction_id"]
    test[shown].to_csv(raw / "test.csv", index=False)
    sample = pd.DataFrame({"prediction_id": test["prediction_id"].unique(), "cancer": 0.02})
    sample.to_csv(raw / "sample_submission.csv", index=False)
    for name, part in (("train", table), ("test", hidden)):
        columns = ("patient_id", "image_id", "laterality", "view", "cancer", "age")
        for patient, image, *what in zip(*(part[column].tolist() for column in columns), strict=True):
            path = raw / f"{name}_images" / str(patient) / f"{image}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_mammogram(rng, patient, image, *what))


def _table(rng: np.random.Generator, patients: int) -> pd.DataFrame:
    """Two views of each breast, a third one of every tenth; half of the patients have cancer in one breast."""
    frame = pd.MultiIndex.from_product(
        [range(patients), ["L", "R"], ["CC", "MLO", "AT"]], names=["patient", "laterality", "view"]
    ).to_frame(index=False)
    breast = 2 * frame["patient"] + (frame["laterality"] == "R")
    frame = frame[(frame["view"] != "AT") | (breast % 10 == 0)].reset_index(drop=True)
    patient = frame["patient"].to_numpy()
    side = np.where(rng.random(patients) < 0.5, "L", "R")
    ill = rng.permutation(np.arange(patients) % 2 == 0)
    cancer = ill[patient] & (side[patient] == frame["laterality"].to_numpy())
    number = np.sort(rng.choice(65_000, patients, replace=False)) + 1
    site = rng.integers(1, 3, patients)
    age = np.where(rng.random(patients) < 0.03, np.nan, rng.integers(35, 85, patients))
    rows = len(frame)
    biopsy = cancer | (rng.random(rows) < 0.04)
    return pd.DataFrame(
        {
            "site_id": site[patient],
            "patient_id": number[patient],
            "image_id": rng.choice(2**31 - 1, rows, replace=False),
            "laterality": frame["laterality"],
            "view": frame["view"],
            "age": age[patient],
            "cancer": cancer.astype(int),
            "biopsy": biopsy.astype(int),
            "invasive": (cancer & (rng.random(rows) < 0.7)).astype(int),
            "BIRADS": np.where(site[patient] == 2, np.nan, np.where(biopsy, 0.0, rng.integers(1, 3, rows))),
            "implant": (rng.random(patients) < 0.03).astype(int)[patient],
            "density": np.where(site[patient] == 2, None, rng.choice(list("ABCD"), patients)[patient]),
            "machine_id": rng.choice(FIRST_MACHINES, patients)[patient],
            "difficult_negative_case": ~cancer & (rng.random(rows) < 0.1),
        }
    )


def _mammogram(
    rng: np.random.Generator, patient: int, image: int, laterality: str, view: str, cancer: int, age: float
) -> bytes:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = np.hypot(rows - SIDE / 2, columns) < SIDE * 0.45
    pixels = np.where(inside, rng.normal(800, 60, (SIDE, SIDE)), 20)
    if cancer:
        top, left = rng.integers(8, 18), rng.integers(1, 7)
        pixels[top : top + SPOT, left : left + SPOT] += 900
    pixels = pixels if laterality == "L" else pixels[:, ::-1]
    years = {} if np.isnan(age) else {"PatientAge": f"{int(age):03d}Y"}
    return encode_dicom(
        pixels.astype(np.uint16), BitsStored=12, Modality="MG", BodyPartExamined="BREAST", PatientID=str(patient),
        InstanceNumber=image, ViewPosition=view, **years,
    )  # fmt: skip
