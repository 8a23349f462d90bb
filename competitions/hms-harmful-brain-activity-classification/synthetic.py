"""Recordings with a rhythm whose frequency and side tell the class that wins the vote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.tables import write_parquet
from mlebench.synthetic.documents import encode_pdf

CLASSES = ["Seizure", "LPD", "GPD", "LRDA", "GRDA", "Other"]
ELECTRODES = "Fp1 F3 C3 P3 F7 T3 T5 O1 Fz Cz Pz Fp2 F4 C4 P4 F8 T4 T6 O2 EKG".split()  # noqa: SIM905
LEFT, RIGHT = slice(0, 8), slice(11, 19)
REGIONS = ("LL", "RL", "LP", "RP")
FREQUENCIES = [round(0.59 + 2.34 * i, 2) for i in range(6)]
SEGMENTS = 3
EEG_SECONDS, SPECTROGRAM_SECONDS = 50, 600


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(24, int(24 * scale))
    rate = int(np.clip(10 * scale, 10, 200))
    ids = rng.choice(2**31 - 1, 3 * n, replace=False)
    patients = rng.choice(65_000, n // 2, replace=False)
    rows = []
    for folder in ("train_eegs", "train_spectrograms", "test_eegs", "test_spectrograms", "example_figures"):
        (raw / folder).mkdir()
    for i in range(n):
        label = i % len(CLASSES)
        spectrogram, eegs = int(ids[i]), ids[n + 2 * i : n + 2 * i + int(rng.integers(1, 3))].tolist()
        write_parquet(_spectrogram(rng, label, len(eegs)), raw / "train_spectrograms" / f"{spectrogram}.parquet")
        for place, eeg in enumerate(eegs):
            write_parquet(_eeg(rng, label, rate), raw / "train_eegs" / f"{eeg}.parquet")
            for segment in range(SEGMENTS):
                votes = rng.integers(0, 2, len(CLASSES))
                votes[label] += rng.integers(3, 12)
                where = [
                    eeg,
                    segment,
                    4.0 * segment,
                    spectrogram,
                    place * SEGMENTS + segment,
                    10.0 * place + 4 * segment,
                ]
                rows.append([*where, 0, patients[i % len(patients)], CLASSES[label], *votes.tolist()])
    table = pd.DataFrame(
        rows,
        columns=[
            *("eeg_id", "eeg_sub_id", "eeg_label_offset_seconds"),
            *("spectrogram_id", "spectrogram_sub_id", "spectrogram_label_offset_seconds"),
            *("label_id", "patient_id", "expert_consensus"),
            *(f"{name.lower()}_vote" for name in CLASSES),
        ],
    )
    table["label_id"] = rng.choice(2**31 - 1, len(table), replace=False)
    table.to_csv(raw / "train.csv", index=False)

    example = {"spectrogram_id": [853520], "eeg_id": [3911565283], "patient_id": [6885]}
    pd.DataFrame(example).to_csv(raw / "test.csv", index=False)
    votes = {f"{name.lower()}_vote": 1 / 6 for name in CLASSES}
    pd.DataFrame([{"eeg_id": 3911565283, **votes}]).to_csv(raw / "sample_submission.csv", index=False)
    write_parquet(_eeg(rng, 0, rate), raw / "test_eegs" / "3911565283.parquet")
    write_parquet(_spectrogram(rng, 0, 1), raw / "test_spectrograms" / "853520.parquet")
    for i, name in enumerate(CLASSES):
        (raw / "example_figures" / f"Sample{i + 1:02d}.pdf").write_bytes(encode_pdf([f"Example of {name}"]))


def _strengths(label: int) -> tuple[float, float]:
    """How strong the rhythm is on the left and on the right."""
    return (1.0, 0.2) if CLASSES[label].startswith("L") else (1.0, 1.0)


def _eeg(rng: np.random.Generator, label: int, rate: int) -> pd.DataFrame:
    times = np.arange((EEG_SECONDS + 4 * (SEGMENTS - 1)) * rate) / rate
    wave = 60 * np.sin(2 * np.pi * (0.5 + 0.6 * label) * times)
    signal = rng.normal(0, 20, (len(times), len(ELECTRODES)))
    for side, strength in zip((LEFT, RIGHT), _strengths(label), strict=True):
        signal[:, side] += strength * wave[:, None]
    signal[: rate // 2, rng.integers(0, len(ELECTRODES))] = np.nan
    return pd.DataFrame(signal.round(1).astype(np.float32), columns=ELECTRODES)


def _spectrogram(rng: np.random.Generator, label: int, recordings: int) -> pd.DataFrame:
    times = np.arange(1, SPECTROGRAM_SECONDS + 20 * recordings, 2)
    columns = {}
    for region in REGIONS:
        strength = _strengths(label)[region[0] == "R"]
        for frequency in FREQUENCIES:
            near = np.exp(-((frequency - 1 - 2.5 * label) ** 2) / 4)
            power = rng.exponential(1.0, len(times)) * (0.2 + 5 * strength * near)
            columns[f"{region}_{frequency}"] = power.round(2).astype(np.float32)
    return pd.DataFrame({"time": times, **columns})
