"""Patients whose lungs weaken steadily, faster in smokers; the first slice of a scan shows how large the lungs are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.dicom import encode_dicom
from mlebench.synthetic.images import noise, with_ellipse
from mlebench.synthetic.text import hex_ids

SMOKING = {"Ex-smoker": -4.0, "Never smoked": -1.0, "Currently smokes": -8.0}
"""Habit -> millilitres lost a week."""
SIZE = 32


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(20, int(40 * scale))
    size, slices = (SIZE, 3) if scale <= 4 else (256, 12)
    patients = [f"ID00{name.upper()}" for name in sorted(hex_ids(rng, n, 21))]
    parts = []
    for patient in patients:
        habit = str(rng.choice(list(SMOKING)))
        start = float(rng.uniform(1800, 4200))
        visits = int(rng.integers(5, 10))
        weeks = int(rng.integers(-3, 12)) + np.r_[0, np.cumsum(rng.integers(1, 13, visits - 1))]
        volume = np.rint(start + SMOKING[habit] * weeks + rng.normal(0, 40, visits)).astype(int)
        parts.append(
            pd.DataFrame(
                {
                    "Patient": patient,
                    "Weeks": weeks,
                    "FVC": volume,
                    "Percent": volume / (start * rng.uniform(1.0, 1.4)) * 100,
                    "Age": int(rng.integers(49, 89)),
                    "Sex": str(rng.choice(["Male", "Female"])),
                    "SmokingStatus": habit,
                }
            )
        )
        folder = raw / "train" / patient
        folder.mkdir(parents=True)
        for k in range(1, slices + 1):
            (folder / f"{k}.dcm").write_bytes(_slice(rng, patient, k, start, size))
    table = pd.concat(parts)
    table.to_csv(raw / "train.csv", index=False)
    shown = table.groupby("Patient").head(1).head(5)
    shown.to_csv(raw / "test.csv", index=False)
    for patient in shown["Patient"]:
        (raw / "test" / patient).mkdir(parents=True)
        (raw / "test" / patient / "1.dcm").write_bytes((raw / "train" / patient / "1.dcm").read_bytes())
    sample = pd.DataFrame({"Patient_Week": [f"{p}_{w}" for p in shown["Patient"] for w in range(-12, 134)]})
    sample.assign(FVC=2000, Confidence=100).to_csv(raw / "sample_submission.csv", index=False)


def _slice(rng: np.random.Generator, patient: str, number: int, volume: float, size: int) -> bytes:
    pixels = noise(rng, size, size, mean=150, spread=10)
    reach = size / 2 * (volume / 4500)
    pixels = with_ellipse(pixels, (size / 2 - reach, size / 2 - reach, size / 2 + reach, size / 2 + reach), 30)
    return encode_dicom(
        pixels.astype(np.int16) * 8 - 1024,
        Modality="CT",
        PatientID=patient,
        BodyPartExamined="Chest",
        InstanceNumber=number,
        SliceThickness="10.0",
        PixelSpacing="0.7\\0.7",
        ImagePositionPatient=f"0\\0\\{10 * number}",
        RescaleIntercept="0",
        RescaleSlope="1",
    )
