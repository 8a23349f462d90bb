"""Grey chests in which each label, where it holds, shows as a bright line at a place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.formats.tfrecord import encode_example, write_records
from mlebench.synthetic.images import noise, save_all
from mlebench.synthetic.text import hex_ids

LABELS = [
    "ETT - Abnormal", "ETT - Borderline", "ETT - Normal", "NGT - Abnormal", "NGT - Borderline",
    "NGT - Incompletely Imaged", "NGT - Normal", "CVC - Abnormal", "CVC - Borderline", "CVC - Normal",
    "Swan Ganz Catheter Present",
]  # fmt: skip
SIDE = 44


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n, tests = max(300, int(400 * scale)), max(5, int(40 * scale))
    uids = [f"1.2.826.0.1.3680043.8.498.{number}" for number in 10**10 + rng.permutation(n + tests) * 7919]
    holds = rng.random((n + tests, len(LABELS))) < 0.35
    images = ((f"{uid}.jpg", _chest(rng, own)) for uid, own in zip(uids, holds, strict=True))
    save_all(raw / "train", (next(images) for _ in range(n)))
    save_all(raw / "test", images)
    table = pd.DataFrame(holds.astype(int), columns=LABELS)
    table.insert(0, "StudyInstanceUID", uids)
    patients = np.array(hex_ids(rng, max(2, n // 9), 9))
    train = table.head(n).assign(PatientID=rng.choice(patients, n))
    train.to_csv(raw / "train.csv", index=False)
    table.tail(tests).assign(**dict.fromkeys(LABELS, 0)).to_csv(raw / "sample_submission.csv", index=False)
    lines = pd.DataFrame(_lines(uids[:n], holds), columns=["StudyInstanceUID", "label", "data"])
    lines.to_csv(raw / "train_annotations.csv", index=False)
    for part, names in (("train", uids[:3]), ("test", uids[n : n + 3])):
        records = (
            encode_example({"StudyInstanceUID": [uid.encode()], "image": [(raw / part / f"{uid}.jpg").read_bytes()]})
            for uid in names
        )
        write_records(raw / f"{part}_tfrecords" / f"00-{len(names)}.tfrec", records)


def _column(label: int) -> int:
    return 4 * label + 2


def _chest(rng: np.random.Generator, holds: np.ndarray) -> np.ndarray:
    pixels = noise(rng, SIDE, SIDE, mean=90, spread=15)
    for label in np.flatnonzero(holds).tolist():
        pixels[4 : rng.integers(SIDE // 2, SIDE), _column(label) : _column(label) + 2] = 220
    return pixels


def _lines(uids: list[str], holds: np.ndarray) -> Iterator[tuple[str, str, str]]:
    """A drawn line for the first label of every other picture that has one."""
    for uid, own in list(zip(uids, holds, strict=False))[::2]:
        for label in np.flatnonzero(own)[:1].tolist():
            yield uid, LABELS[label], str([[_column(label), 4], [_column(label), SIDE // 2]])
